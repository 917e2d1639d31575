"""What Channels costs by itself: a consumer that does a round trip over its group for each frame, and nothing else.

Serve it with ``daphne benchmarks.bare_consumer:application``; it needs REDIS_URL.
"""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter
from django.conf import settings

settings.configure(
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": 30}], "capacity": 1000},
        }
    }
)


class Bare(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.group = f"bare-{uuid.uuid4().hex}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        said = json.loads(text_data or "{}")
        await self.channel_layer.group_send(self.group, {"type": "pushed", "client_id": said.get("client_id")})

    async def pushed(self, event: Any) -> None:
        await self.send(json.dumps({"type": "ack", "client_id": event["client_id"], "seq": 1}))


application = ProtocolTypeRouter({"websocket": Bare.as_asgi()})
