"""The channels that customers write on. A vendor whose variables are empty is off."""

from __future__ import annotations

from common import env

#: by the name of a channel: what gives its adapter
CHANNELS = {
    "webchat": "channels_app.webchat.channel.channel",
    "telegram": "channels_app.telegram.channel.channel",
    "avito": "channels_app.avito.channel.channel",
}

# --- Telegram ---------------------------------------------------------------------------------------------------
TELEGRAM_BOT_TOKEN = env.text("TELEGRAM_BOT_TOKEN")
#: the root; /bot<token>/ is added
TELEGRAM_API_URL = env.url("TELEGRAM_API_URL", "https://api.telegram.org")
#: the first is set with the webhook, further ones are still taken: so it can be changed without losing anything
TELEGRAM_WEBHOOK_SECRETS = env.words("TELEGRAM_WEBHOOK_SECRET")

# --- Avito ------------------------------------------------------------------------------------------------------
AVITO_CLIENT_ID = env.text("AVITO_CLIENT_ID")
AVITO_CLIENT_SECRET = env.text("AVITO_CLIENT_SECRET")
#: the number of our account; where it is empty the vendor is asked whose the keys are
AVITO_USER_ID = env.number("AVITO_USER_ID", default=0, most=2**63 - 1)
#: the root, without a path
AVITO_API_URL = env.url("AVITO_API_URL", "https://api.avito.ru")
#: the first is part of the webhook's address, further ones are still taken: it can be changed without losing anything
AVITO_WEBHOOK_SECRETS = env.words("AVITO_WEBHOOK_SECRET")
#: by what the signature of a webhook is made: empty (nobody knows it, so it is kept and not asked for), or ``present``,
#: or one of the ways that ``manage.py avito signature`` has found to fit
AVITO_SIGNATURE = env.text("AVITO_SIGNATURE")
