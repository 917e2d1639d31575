"""Where HTTP and websockets come in."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()  # the app registry has to be ready before consumers are imported

from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter

from channels_app.webchat.routing import websocket_urlpatterns

router = ProtocolTypeRouter({"http": django_application, "websocket": URLRouter(websocket_urlpatterns)})


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Route what comes in. We are never mounted below a path, but daphne believes any client's header that we are."""
    await router({**scope, "root_path": ""}, receive, send)
