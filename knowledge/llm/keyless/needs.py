"""What the customer needs so far: the messages of the log folded together, on top of the last quote."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any, Literal

from knowledge.llm.keyless.lexicon import phrasebook
from knowledge.llm.keyless.phrasebook import Phrasebook
from knowledge.llm.keyless.questions import FACTS, Question
from knowledge.llm.keyless.sizes import Mention, tier_of
from knowledge.llm.keyless.understanding import Understood, understand
from pricing.calculator import Product, Rules
from sales.assistant.protocol import Entry, Heard, TurnContext

Offer = Literal["proposal", "person", "year", "month"]


@dataclass(frozen=True)
class Size:
    """How much of a product: a tier that was named, a volume a month, both, or nothing yet."""

    tier: str | None = None
    volume: int | None = None
    #: the customer doesn't know, so the smallest tier stands in
    assumed: bool = False

    @property
    def known(self) -> bool:
        return self.tier is not None or self.volume is not None


@dataclass(frozen=True)
class Needs:
    """What a quote would be made of, and what was spoken of last."""

    products: Mapping[str, Size] = field(default_factory=dict)
    services: Mapping[str, int] = field(default_factory=dict)
    period: Literal["month", "year"] | None = None
    startup: bool | None = None
    #: products spoken of last; «а сколько он стоит?» means these
    topics: tuple[str, ...] = ()
    #: a size that came before its product
    loose: Size = Size()
    #: services spoken of last, without being wanted
    spoken_services: tuple[str, ...] = ()
    #: the product or service that was added or changed last
    latest: str = ""

    @property
    def priced(self) -> tuple[Any, ...]:
        """Everything that changes a price."""
        return dict(self.products), dict(self.services), self.period or "month", bool(self.startup)


@dataclass(frozen=True)
class Talk:
    """A conversation as the model sees it when its turn begins."""

    #: as of the last answer, and now
    before: Needs
    needs: Needs
    #: the messages to be answered, as understood
    said: tuple[Understood, ...]
    #: the assistant's last message, and all its earlier ones
    last_reply: str
    replies: tuple[str, ...]
    #: whether the customer has refused to leave a phone number
    refused_contact: bool
    #: whether the customer has ever asked for a proposal
    asked_proposal: bool
    #: whether they have complained before
    complained: bool = False
    #: what they asked the knowledge base last, before these messages
    asked: Question | None = None
    #: what kind of question their last message before these ended with
    asked_of: str = ""
    #: everything that they have written so far, these messages included
    heard: tuple[str, ...] = ()

    def means(self, *intents: str) -> bool:
        return any(each.means(*intents) for each in self.said)

    @property
    def unread(self) -> bool:
        """Whether nothing at all was understood of the messages."""
        return all(each == Understood() for each in self.said)

    @property
    def offered(self) -> Offer | None:
        """What a «да» now agrees to."""
        return offered_in(self.last_reply)


def listen(log: Sequence[Entry], context: TurnContext, catalogue: Rules) -> Talk:
    """Fold what was said. Where the window doesn't reach back to the beginning, the last quote stands for the rest."""
    heard = [entry for entry in log if isinstance(entry, Heard) and entry.seq > 0]
    quoted = (context.quote or {}).get("request")
    whole = not heard or heard[0].seq <= 1
    needs = Needs() if whole or not quoted else from_request(quoted)
    before = needs
    said: list[Understood] = []
    replies: list[str] = []
    last_before, refused, asked_proposal, complained = "", False, False, False
    asked: Question | None = None
    asked_of = ""
    for entry in heard:
        if entry.author != "customer":
            if entry.author == "assistant":
                replies.append(entry.text)
            continue
        understood = read(entry.text, catalogue)
        last = replies[-1] if replies else ""
        if entry.pending:
            if not said:
                before, last_before = needs, last
            said.append(understood)
        else:
            complained = complained or understood.means("complaint", "threat")
            if understood.questions or not understood.volume or understood.products:
                asked_of = understood.questions[-1].kind if understood.questions else ""
            asked = next((each for each in reversed(understood.questions) if each.kind not in FACTS | {"more"}), asked)
        refused = refused or understood.means("no_contact")
        asked_proposal = asked_proposal or understood.means("proposal")
        if whole or not quoted or entry.pending:
            needs = fold(needs, understood, catalogue=catalogue, last_reply=last)
    texts = tuple(entry.text for entry in heard if entry.author == "customer")
    return Talk(
        before,
        needs,
        tuple(said),
        last_before,
        tuple(replies),
        refused,
        asked_proposal,
        complained,
        asked,
        asked_of,
        texts,
    )


def read(text: str, catalogue: Rules) -> Understood:
    """As ``understand``, remembered: a turn asks its model several times about the same messages."""
    book = phrasebook(catalogue)
    key = (id(book), text)
    if key not in _read_lately:
        if len(_read_lately) >= 500:
            _read_lately.clear()
        _read_lately[key] = book, understand(text, catalogue)
    return _read_lately[key][1]


#: by phrasebook and text; the book is kept with it, so that no other gets its id
_read_lately: dict[tuple[int, str], tuple[Phrasebook, Understood]] = {}


def from_request(request: Mapping[str, Any]) -> Needs:
    """What a quote was made from, as needs."""
    products = {
        wanted["product"]: Size(wanted.get("tier"), wanted.get("volume")) for wanted in request.get("products") or ()
    }
    services = {wanted["service"]: wanted["quantity"] for wanted in request.get("services") or ()}
    return Needs(products, services, request.get("billing_period"), request.get("startup"), tuple(products)[-1:])


def fold(needs: Needs, heard: Understood, *, catalogue: Rules, last_reply: str = "") -> Needs:
    """What is needed after one more message."""
    if heard.drops_latest and needs.latest:
        heard = replace(heard, dropped=frozenset({needs.latest}))
    counted = _counts_latest(needs, heard, catalogue, last_reply)
    if counted:
        heard = replace(heard, services={needs.latest: heard.volume}, volume=None, volumes=())
    needs = _with_products(needs, heard, catalogue, last_reply)
    services = dict(needs.services)
    spoken = heard.service_topics or (() if heard.products or heard.topics else needs.spoken_services)
    if heard.means("price") and not (heard.services or heard.products or heard.topics or heard.dropped):
        # «вы сами загрузите базу знаний? сколько это стоит?»
        wanted = spoken if heard.means("refers") or heard.service_topics else ()
        services |= {code: services.get(code, 1) for code in wanted}
    services |= {code: count for code, count in heard.counted.items() if code in services}
    for code, quantity in heard.services.items():
        services[code] = quantity or services.get(code, 1)
    services = {code: quantity for code, quantity in services.items() if code not in heard.dropped and quantity > 0}
    period = heard.period or needs.period
    if heard.means("yes", "yes_and") and heard.period is None and offered_in(last_reply) in {"year", "month"}:
        period = "year" if offered_in(last_reply) == "year" else "month"
    startup = needs.startup if heard.startup is None else heard.startup
    topics = heard.topics or tuple(mention.product for mention in heard.products) or needs.topics
    named = [*heard.services, *(mention.product for mention in heard.products)]
    latest = named[0] if named else ("" if needs.latest in heard.dropped else needs.latest)
    return replace(
        needs, services=services, period=period, startup=startup, topics=topics, latest=latest, spoken_services=spoken
    )


def _counts_latest(needs: Needs, heard: Understood, catalogue: Rules, last_reply: str) -> bool:
    """«Четыре» after «добавьте обучение, три занятия» counts the service again, and no volume."""
    bare = heard.volume is not None and heard.tier is None and not heard.products and not heard.services
    return bare and needs.latest in needs.services and asked_about(last_reply, catalogue) is None


def _with_products(needs: Needs, heard: Understood, catalogue: Rules, last_reply: str) -> Needs:
    products: dict[str, Size] = {} if heard.means("reset") else dict(needs.products)
    services = {} if heard.means("reset") else needs.services
    if heard.only and not heard.products:
        services = {code: count for code, count in services.items() if code in heard.services}
        products = {} if heard.means("price") else products
    elif heard.only:
        products = {mention.product: products.get(mention.product, Size()) for mention in heard.products}
    loose = Size() if heard.bad_volume else needs.loose
    for mention in heard.products:
        size = _resized(products.get(mention.product, Size()), mention)
        if not size.known and loose.known:
            size, loose = _fitting(loose, mention.product, catalogue), Size()
        products[mention.product] = size
    if heard.means("all_products"):
        products = {product.code: products.get(product.code, Size()) for product in catalogue.products}
    products = {code: size for code, size in products.items() if code not in heard.dropped}
    asks_price = heard.means("price", "proposal") and not heard.means("included", "compare", "discount")
    asks_price = asks_price and not any(question.kind == "ware" for question in heard.questions)
    said = heard.products or heard.services or heard.dropped
    topics = heard.topics or needs.topics or _spoken_of(last_reply, catalogue)
    if asks_price and not said and (not products or heard.means("refers")) and not products.keys() & set(topics):
        products |= {code: Size() for code in topics[:3]}
    spoken = Size(heard.tier, heard.volume)
    asked = asked_about(last_reply, catalogue)
    if heard.means("unsure") and not spoken.known and asked is not None and not products.get(asked, Size()).known:
        products[asked] = Size(tier=tier_of(catalogue, asked, "cheapest"), assumed=True)
    if heard.pace is not None and not spoken.known:
        of = asked or next((code for code in reversed(products) if products[code].volume), None)
        if of is not None and (volume := products.get(of, Size()).volume):
            products[of] = Size(volume=ceil(volume * heard.pace))
    unsized = [code for code, size in products.items() if not size.known]
    if heard.volumes and len(heard.volumes) == len(unsized):
        products |= {code: Size(volume=volume) for code, volume in zip(unsized, heard.volumes, strict=True)}
    elif spoken.known:
        owners = _owners(products, heard, needs, catalogue, last_reply)
        for code in owners:
            mention = Mention(code, spoken.tier and tier_of(catalogue, code, spoken.tier), spoken.volume)
            products[code] = _resized(products.get(code, Size()), mention)
        if not owners:
            loose = spoken
    return replace(needs, products=products, services=services, loose=loose)


def _spoken_of(reply: str, catalogue: Rules) -> tuple[str, ...]:
    """The one product that an answer was about: «а почём?» means it."""
    named = [
        product.code
        for product in catalogue.products
        if any(name and name.casefold() in reply.casefold() for name in (product.name.ru, product.name.en))
    ]
    return tuple(named) if len(named) == 1 else ()


def _resized(size: Size, mention: Mention) -> Size:
    """The last word counts: a new volume frees the tier, a new tier the volume."""
    said = Size(mention.tier, mention.volume)
    return said if said.known else size


def _fitting(size: Size, code: str, catalogue: Rules) -> Size:
    return replace(size, tier=size.tier and tier_of(catalogue, code, size.tier))


def _owners(
    products: Mapping[str, Size], heard: Understood, needs: Needs, catalogue: Rules, last_reply: str
) -> tuple[str, ...]:
    """Whose size «бизнес» or «1800» is: of what was asked about, of the only one, of what was spoken of last."""
    if heard.everything:
        return tuple(products)
    asked = asked_about(last_reply, catalogue)
    if asked is not None and asked not in heard.dropped:
        return (asked,)
    if len(products) == 1:
        return tuple(products)
    unsized = tuple(code for code, size in products.items() if not size.known)
    if unsized:
        return unsized if heard.tier else unsized[:1]
    if products:
        spoken = [code for code in needs.topics if code in products]
        return (spoken[-1] if spoken else list(products)[-1],)
    return needs.topics[:1]


# --- what the assistant itself has asked and offered, read back from its words ---


def last_question(text: str) -> str:
    """The question a reply ends with, if any; buttons and sources are not part of the text."""
    found = re.findall(r"[^.!?\n]*\?", text)
    return found[-1].strip() if found else ""


def asked_about(last_reply: str, catalogue: Rules) -> str | None:
    """The product whose size the assistant has asked for."""
    question = last_question(last_reply)
    return next((product.code for product in catalogue.products if question and _asks_size(question, product)), None)


def _asks_size(question: str, product: Product) -> bool:
    return any(unit and unit in question for unit in (product.unit.ru, product.unit.en))


_OFFERS: Mapping[Offer, tuple[str, ...]] = {
    "proposal": ("коммерческое предложение", "proposal"),
    "person": ("сотрудник", "colleague"),
    "year": ("за год", "for a year"),
    "month": ("помесячн", "monthly"),
}


def offered_in(text: str) -> Offer | None:
    """What the last question of a reply offers to do."""
    question = last_question(text).lower()
    return next((offer for offer, words in _OFFERS.items() if any(word in question for word in words)), None)
