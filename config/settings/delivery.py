"""Celery as the doorbell, Valkey as its wire, Channels for the sockets."""

from __future__ import annotations

from urllib.parse import urlsplit

from common import env

from .core import SECRET_KEY

REDIS_URL = env.required("REDIS_URL")
_unix = urlsplit(REDIS_URL).scheme == "unix"

# --- Celery -----------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1) if _unix else REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "answers"
CELERY_TASK_ROUTES = {
    "sales.tasks.*": {"queue": "answers"},
    "billing.tasks.*": {"queue": "documents"},
    "knowledge.tasks.*": {"queue": "sync"},
    "channels_app.tasks.read_avito_listings": {"queue": "sync"},
    "channels_app.*": {"queue": "delivery"},
    "crm.*": {"queue": "sync"},
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,  # the default looks for abandoned tasks every hundred seconds or so
    "unacked_restore_throttle": 1,
    "socket_timeout": 0.5 if env.text("PROCESS_KIND") == "web" else 5,
    "socket_connect_timeout": 0.5,
    "health_check_interval": 10,
    "retry_on_timeout": False,
    "max_retries": 0,
}
if not _unix:
    CELERY_BROKER_TRANSPORT_OPTIONS["socket_keepalive"] = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True
#: only what has its time by the clock; what is owed is the sweep's
CELERY_BEAT_SCHEDULE = {
    "listings on Avito": {"task": "channels_app.tasks.read_avito_listings", "schedule": 60.0},
    "unread chats on Avito": {
        "task": "channels_app.tasks.poll_avito",
        "schedule": 60.0,
        "options": {"expires": 50},
    },
    "webhook of Avito": {"task": "channels_app.tasks.watch_avito_webhook", "schedule": 600.0},
}

# --- cache ------------------------------------------------------------------------------------------------------
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5, "IGNORE_EXCEPTIONS": True},
        "KEY_PREFIX": "cache",
    }
}

# --- Channels ---------------------------------------------------------------------------------------------------
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # redis-py 8 closes a read after 5 s unless told otherwise, and the layer's own read blocks for 5 s:
            # every idle socket would die
            "hosts": [{"address": REDIS_URL, "socket_timeout": 30, "socket_connect_timeout": 0.5}],
            "capacity": 500,
            "expiry": 60,
            "group_expiry": 86400,
            "prefix": "layer",
            # only ids travel, except the pieces of an answer being written
            "symmetric_encryption_keys": [SECRET_KEY],
        },
    }
}
