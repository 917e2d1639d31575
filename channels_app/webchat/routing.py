"""Where websockets lead."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from channels_app.webchat.socket import chat, nowhere

websocket_urlpatterns: list[Any] = [
    path("chat/ws/<str:conversation>", chat),  # type: ignore[arg-type]  # ASGI applications are what Channels wants
    # the last one: Channels raises for an address that it doesn't know, and strangers would fill the log
    re_path(r"", nowhere),  # type: ignore[arg-type]
]
