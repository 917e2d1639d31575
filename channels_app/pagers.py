"""How somebody of the staff is reached outside the back office: by our bot in Telegram."""

from __future__ import annotations

from common.problems import LastingProblem


def page(address: str, text: str) -> None:
    """Write to a member of staff. ``address`` is the number of their chat with the bot."""
    from channels_app import registry
    from channels_app.contract import Unreachable
    from channels_app.telegram.client import Address, send_message  # slow: the vendor's whole library

    channel = registry.by_name("telegram")
    if channel is None or not channel.is_on():
        raise LastingProblem("telegram is off: its variables are empty")
    try:
        send_message(Address.of(address), text, html=False)
    except Unreachable:
        raise LastingProblem("this colleague can't be written to: let them write to the bot first") from None
