"""The frame: apps, middleware, database, keys, static files, the assistant."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ

from common import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# --- where we run -----------------------------------------------------------------------------------------------
# ENVIRONMENT=production refuses demo sellers, plain http cookies and missing keys. `make run` is "local".
ENVIRONMENT = env.text("ENVIRONMENT", "local")
if ENVIRONMENT not in {"local", "production"}:
    raise env.BadEnvironment("ENVIRONMENT must be local or production.")
IS_PRODUCTION = ENVIRONMENT == "production"
DEBUG = False  # the error pages of debugging show personal data; logs say what is needed
TESTING = "pytest" in sys.modules

STATE_DIR = Path(env.text("STATE_DIR", str(BASE_DIR / ".state"))).resolve()
PORT = env.number("PORT", default=8000, least=1, most=65535)
PUBLIC_URL = env.url("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", f"localhost,127.0.0.1,[::1],{urlsplit(PUBLIC_URL).hostname}")
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=0, most=10)

# --- keys -------------------------------------------------------------------------------------------------------
SECRET_KEY = env.required("SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise env.BadEnvironment("SECRET_KEY is too short: 50 random characters. Make one with: openssl rand -base64 48")
FIELD_ENCRYPTION_KEYS = env.keys("FIELD_ENCRYPTION_KEYS")
BLIND_INDEX_KEY = env.key("BLIND_INDEX_KEY")

# --- the house --------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "channels",
    "corsheaders",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "simple_history",
    "config",
    "common",
    "sales",
    "pricing",
    "knowledge",
    "billing",
    "crm",
    "channels_app",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "common.requests.access_line",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.csp.Policy",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- PostgreSQL -------------------------------------------------------------------------------------------------
DATABASES = {"default": environ.Env.db_url_config(env.required("DATABASE_URL"))}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
#: which of our processes this is; daphne alone keeps a pool, the others a connection a thread
PROCESS = env.text("PROCESS_KIND", "command")
_waits = {"web": "15s", "worker": "60s", "sweep": "60s"}.get(PROCESS, "0")
_options = DATABASES["default"].setdefault("OPTIONS", {})
_options["options"] = f"-c statement_timeout={_waits} -c idle_in_transaction_session_timeout=30s -c lock_timeout=3s"
_options.update(connect_timeout=5, keepalives_idle=10, application_name=PROCESS)
if PROCESS == "command":
    # migrations and imports may take their time
    _options["options"] = "-c idle_in_transaction_session_timeout=10min"
if PROCESS == "web":
    # kept connections pile up under ASGI: with CONN_MAX_AGE a tenth of the requests met "too many clients"
    _options["pool"] = {"min_size": 2, "max_size": env.number("DATABASE_POOL", default=16, least=1), "timeout": 10}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = None
# a connection that PostgreSQL's restart has cut is found before a request meets it
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# --- words and time ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Moscow"

# --- static files -----------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(STATE_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": STATE_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    # papers by their id, for whoever sends them as files without knowing who makes them
    "documents": {"BACKEND": "billing.storage.Papers"},
}
if TESTING or ENVIRONMENT == "local":
    # locally the files are served as they lie in the checkout, so that nothing has to be collected first
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = True
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that isn't there

# --- people -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "sales.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = 20
AXES_COOLOFF_TIME = timedelta(hours=1)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_IPWARE_PROXY_COUNT = TRUSTED_PROXIES or None
AXES_ENABLE_ADMIN = False  # its tables are unlocked by `manage.py axes_reset`
AXES_VERBOSE = False  # its log lines name the person
AXES_ENABLED = not TESTING

# --- the outer skin ---------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if IS_PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health$", r"^ready$", r"^metrics$"]  # asked from inside, without TLS
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("http") else []
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    },
}
CORS_URLS_REGEX = r"^/api/v1/chat/.*$"
WIDGET_ORIGINS = env.words("WIDGET_ORIGINS")
CORS_ALLOWED_ORIGINS = WIDGET_ORIGINS
CORS_ALLOW_ALL_ORIGINS = not WIDGET_ORIGINS
CORS_ALLOW_CREDENTIALS = False

# --- the API ----------------------------------------------------------------------------------------------------
RATE_LIMITS = env.flag("RATE_LIMITS", default=True)
METRICS_ALLOWED_NETWORKS = env.networks("METRICS_ALLOWED_NETWORKS")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["common.access.StaffWithModelPermissions"],
    "DEFAULT_PAGINATION_CLASS": "common.access.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "config.api.exception_handler",
    "PAGE_SIZE": 50,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "UPDATE_LAST_LOGIN": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AI sales assistant",
    "DESCRIPTION": "Staff API, price quotes and the web chat.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# --- the assistant ----------------------------------------------------------------------------------------------
ASSISTANT_MODEL = "knowledge.llm.router.model"
#: how long a customer who writes in several messages is waited for: after the last one, and at most
GATHER_QUIET = timedelta(seconds=1)
GATHER_MOST = timedelta(seconds=4)

# --- people -----------------------------------------------------------------------------------------------------
#: after so long a silence of the operator, while the customer waits, the assistant leads again; 0: never
OPERATOR_SILENCE = timedelta(minutes=env.number("OPERATOR_SILENCE_MINUTES", default=30, most=10_000))
#: how long one on duty has to come before the next is called
DUTY_ESCALATES_AFTER = timedelta(minutes=env.number("DUTY_ESCALATES_MINUTES", default=10, least=1, most=10_000))
