"""The channels that customers write on. A vendor whose variables are empty is off."""

from __future__ import annotations

#: by the name of a channel: what gives its adapter
CHANNELS = {
    "webchat": "channels_app.webchat.channel.channel",
}
