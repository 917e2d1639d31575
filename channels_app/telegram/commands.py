"""What the commands do. Each is something the customer says; most are answered at once, by a tool or by fixed words.

What can't be answered so, and what comes while an answer is being made, the assistant answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from channels_app import continuing
from channels_app.telegram import words
from sales.assistant.at_once import Desk, Said

Answer = Callable[[Desk], Said | None]


def _start(desk: Desk) -> Said:
    options = [{"label": chip, "text": chip} for chip in words.FIRST_CHIPS]
    card = {"kind": "choices", "text": " · ".join(words.FIRST_CHIPS), "options": options}
    return Said(words.GREETING, cards=[card])


def _help(desk: Desk) -> Said:
    listed = "\n".join(f"/{name} – {said}" for name, said in words.COMMANDS.items())
    return Said(words.HELP.format(commands=listed))


def _price(desk: Desk) -> Said | None:
    listed = desk.use("pricing__price_list")
    return None if listed.failed else Said(str(listed.data.get("for_customer") or listed.text))


def _price_list(desk: Desk) -> Said | None:
    made = desk.use("billing__prepare_price_list")
    return None if made.failed else Said(made.text)


def _proposal(desk: Desk) -> Said | None:
    quote = (desk.conversation.memory or {}).get("quote") or {}
    number = str(quote.get("number") or "")
    return proposal(number)(desk) if number else None


def _contact(desk: Desk) -> Said:
    return Said(words.CONTACT, cards=[{"kind": "contact", "text": words.CONTACT}])


def _operator(desk: Desk) -> Said | None:
    called = desk.use("sales__call_person", reason="asked_for_person")
    if called.failed:
        return None
    return Said("" if desk.journal.notices else words.ALREADY_CALLED)  # the call itself has words for the customer


def _site(desk: Desk) -> Said:
    url = continuing.link(desk.conversation, now=desk.context.now)
    card = {"kind": "link", "text": url, "label": words.SITE_BUTTON, "url": url}
    return Said(words.SITE, cards=[card])


#: by the name of a command; those that aren't here the assistant answers
ANSWERS: Mapping[str, Answer] = {
    "start": _start,
    "help": _help,
    "price": _price,
    "price_list": _price_list,
    "proposal": _proposal,
    "contact": _contact,
    "operator": _operator,
    "site": _site,
}


def proposal(number: str) -> Answer:
    """The proposal of a quote that the customer has seen here."""

    def answer(desk: Desk) -> Said | None:
        made = desk.use("billing__prepare_proposal", quote_number=number)
        return None if made.failed else Said(made.text)

    return answer


def left_to_the_assistant(desk: Desk) -> None:
    return None
