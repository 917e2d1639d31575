"""What one message of a customer says: pure reading, no database, no memory of what was said before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from knowledge.llm.keyless import contacts
from knowledge.llm.keyless.extras import Period, pace_in, period_in, services_in, startup_in
from knowledge.llm.keyless.message import Message
from knowledge.llm.keyless.questions import Question, answers_in, budget_in, is_vague, questions_in
from knowledge.llm.keyless.sizes import Mention, products_in, sizes_in, strange_tiers_in, strangers_in
from pricing.calculator import Rules


@dataclass(frozen=True)
class Understood:
    """All that was understood of one message."""

    products: tuple[Mention, ...] = ()
    #: products spoken of at all, wanted or not
    topics: tuple[str, ...] = ()
    #: products and services taken out: «без юриста»
    dropped: frozenset[str] = frozenset()
    only: bool = False
    #: a size that was said without a product
    tier: str | None = None
    volume: int | None = None
    volumes: tuple[int, ...] = ()
    everything: bool = False
    #: service → quantity; None: wanted, but nobody said how many
    services: Mapping[str, int | None] = field(default_factory=dict)
    #: service → how many of its units, where only the unit was named: «15 часов»
    counted: Mapping[str, int] = field(default_factory=dict)
    service_topics: tuple[str, ...] = ()
    period: Period | None = None
    unsold_period: bool = False
    startup: bool | None = None
    bad_volume: bool = False
    #: by what the volume said before is to be multiplied: «в день»
    pace: Fraction | None = None
    #: «уберите»: what was spoken of last goes out
    drops_latest: bool = False
    intents: frozenset[str] = frozenset()
    contact: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    #: tiers that were asked for and don't exist
    unknown_tiers: tuple[str, ...] = ()
    #: products that were asked for and don't exist
    unknown: tuple[str, ...] = ()

    def means(self, *intents: str) -> bool:
        return not self.intents.isdisjoint(intents)


_SUM = re.compile(r"\d\s*[+*×/:÷]\s*\d+\s*(?:=|\?|$)")


def understand(text: str, catalogue: Rules) -> Understood:
    """Read a message; any text is answered with something, an unreadable one with nothing."""
    message = Message(text, catalogue)
    if not message.words:
        return Understood()
    contact = contacts.find(message.text)
    intents = {match.name for match in message.all("intent")} | answers_in(message, contact)
    if _SUM.search(message.text) and not message.all("product"):
        intents = (intents | {"foreign"}) - {"price"}
    products = products_in(message)
    # what a number counts is settled from the surest reading to the vaguest
    for clause in message.clauses:
        if (budget := budget_in(message, clause)) is not None:
            message.spend(*range(budget.first, budget.last + 1))
    period, unsold = period_in(message)
    services = services_in(message)
    sizes = sizes_in(message, products)
    questions = questions_in(message, products)
    if len(questions) > 1:
        questions = tuple(question for question in questions if not is_vague(question)) or questions[:1]
    if "goodbye" in intents or (sizes.products or services.wanted or contact):
        questions = tuple(question for question in questions if question.kind != "guess")
    spoken = dict.fromkeys(match.name for match in products if not message.is_out(match))
    out = {match.name for match in products if message.is_out(match)} - {mention.product for mention in sizes.products}
    return Understood(
        products=sizes.products,
        topics=tuple(spoken),
        dropped=frozenset(out | services.dropped),
        only="only" in intents and bool(sizes.products or services.wanted),
        tier=sizes.tier,
        volume=sizes.volume,
        volumes=sizes.volumes if len(sizes.volumes) > 1 else (),
        everything="everything" in intents,
        services=services.wanted,
        counted=services.counted,
        service_topics=tuple(services.topics),
        period=period,
        unsold_period=unsold,
        startup=startup_in(message),
        bad_volume=sizes.bad_volume or services.none,
        pace=pace_in(message),
        drops_latest="drop" in intents and len(message.words) <= 3 and not (out or services.dropped or products),
        intents=frozenset(intents),
        contact=contact,
        questions=questions,
        unknown_tiers=tuple(dict.fromkeys(strange_tiers_in(message))),
        unknown=tuple(dict.fromkeys(name for _, name in strangers_in(message))),
    )
