"""What to do before speaking: which tools to call, and what the answer will rest on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from knowledge.llm.keyless import lexicon, morphology
from knowledge.llm.keyless.english import in_russian
from knowledge.llm.keyless.lexicon import phrasebook
from knowledge.llm.keyless.needs import Needs, Size, Talk, asked_about, from_request
from knowledge.llm.keyless.noting import Fact, facts_in
from knowledge.llm.keyless.passages import content, query_of
from knowledge.llm.keyless.questions import FACTS, Kind, Question
from knowledge.llm.keyless.sizes import tier_of
from knowledge.llm.keyless.wording import variants_of
from pricing.calculator import Product, Refused, Rules, choose_tier
from sales.assistant.protocol import Entry, Heard, Reply, ToolRequest, ToolResult, TurnContext
from sales.enums import HandoverReason

SEARCH = "knowledge__search"
QUOTE = "pricing__quote"
PRICES = "pricing__price_list"
CONTACT = "sales__save_contact"
NOTE = "sales__note_facts"
PERSON = "sales__call_person"
PROPOSAL = "billing__prepare_proposal"

#: how a customer agrees to the processing of personal data: the word that a channel asks for, and a button says
AGREE = {language: variants_of("agree_word")[at] for at, language in enumerate(("ru", "en"))}
_AGREES = re.compile(r"\W*(?:да\W+|yes\W+)?(?:я\W+|i\W+)?(?:соглас|даю\s+соглас|agree)", re.IGNORECASE)

#: what was said when a proposal was asked for too early
PROMISES = variants_of("proposal_needs_quote")

#: what is said when the knowledge base has no answer
UNKNOWN = (*variants_of("dont_know"), *variants_of("told_above"))

#: questions answered in one reply; more than these nobody reads
QUESTIONS_MOST = 3


@dataclass(frozen=True)
class Request:
    """What to have priced, and where it differs from what the customer said."""

    arguments: Mapping[str, Any]
    #: products priced by their smallest tier because no size was named
    assumed: tuple[str, ...] = ()
    #: product → the tier that was named and the one that fits the volume
    enlarged: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What this turn is about."""

    questions: tuple[Question, ...] = ()
    #: the product whose price list is wanted, as no size of it is known
    price_list: str = ""
    request: Request | None = None
    #: the same for the other period, to be seen beside it
    other_period: Mapping[str, Any] | None = None
    #: figures of the catalogue will be named
    figures: bool = False
    contact: Mapping[str, str] = field(default_factory=dict)
    #: what the staff should know of the customer
    facts: Sequence[Fact] = ()
    #: why a person is to be called; empty: none is
    person: str = ""
    #: what that person is to answer, where these messages don't say it
    left_open: str = ""
    proposal: bool = False
    #: the customer has just agreed to the processing of personal data
    agreed: bool = False


@dataclass(frozen=True)
class Done:
    """What the tools have said in this turn, by the id of the call."""

    results: Mapping[str, ToolResult]

    def get(self, call: str) -> ToolResult | None:
        return self.results.get(call)

    def data(self, call: str) -> Mapping[str, Any]:
        """What a call brought; nothing when it failed or was not made."""
        result = self.results.get(call)
        return {} if result is None or result.failed else result.data

    def hits(self, call: str) -> Sequence[Mapping[str, Any]]:
        return self.data(call).get("hits") or ()


def done_in(log: Sequence[Entry]) -> Done:
    """The results of this turn: those that follow the last thing heard from people."""
    return Done({entry.id: entry for entry in log if isinstance(entry, ToolResult)})


def make_plan(talk: Talk, context: TurnContext, catalogue: Rules) -> Plan:
    """Decide what the pending messages ask for."""
    needs = talk.needs
    agreed = _agreed(talk, context)
    # «Согласен» to our asking for consent says yes to nothing else
    says_yes = talk.means("yes", "yes_and") and not agreed
    person = talk.means("person", "threat") or (says_yes and talk.offered == "person")
    person = person or (talk.means("complaint") and talk.complained)
    proposal = talk.means("proposal") or (says_yes and talk.offered == "proposal")
    ordered = talk.means("go_ahead") and not talk.means("paper") and "proposal" not in context.documents
    proposal = proposal or (ordered and context.quote is not None)
    contact: dict[str, str] = {}
    for understood in talk.said:
        contact |= {} if understood.means("privacy") else understood.contact
    questions = tuple(question for understood in talk.said for question in understood.questions)
    if agreed:
        questions = tuple(question for question in questions if not _AGREES.match(question.text))
    if asked_about(talk.last_reply, catalogue) is not None:
        # a vague answer to our question is none to search for: «много»
        questions = tuple(question for question in questions if question.kind != "guess" or len(question.text) > 40)
    if context.language == "en":
        questions = tuple(_in_russian(question) for question in questions)
    resolved = (_in_context(_as_written(question, catalogue), talk, context, catalogue) for question in questions)
    questions = tuple(_at_large(question, catalogue) for question in resolved if question)[:QUESTIONS_MOST]
    compares_periods = any(question.kind == "periods" for question in questions)
    questions = questions or _budget_again(talk)
    changed = needs.priced != talk.before.priced
    agreed_period = says_yes and talk.offered in {"year", "month"}
    asks_price = talk.means("price") and not any(question.kind == "ware" for question in questions)
    if context.quote is not None and not questions:
        # the same said again is answered with the same quote, not passed over
        named = any(understood.products or understood.services for understood in talk.said)
        period = any(understood.period for understood in talk.said)
        asks_price = asks_price or period or (named and talk.means("add", "want", "what_if"))
    counted_discounts = any(question.kind == "discount" and question.own for question in questions)
    if counted_discounts and talk.needs.products and _quotable(talk.needs, context):
        asks_price = True  # the discounts of their own quote are named by a quote
        questions = tuple(question for question in questions if not question.own)
    wants_price = asks_price or changed or agreed_period or (proposal and context.quote is None) or compares_periods
    bad_volume = any(understood.bad_volume for understood in talk.said)
    request, price_list = None, ""
    if wants_price and (needs.products or needs.services):
        if bad_volume and any(not size.known for size in needs.products.values()):
            pass  # the volume that was named is none: it is asked for again
        elif _quotable(needs, context):
            request = request_for(needs, catalogue)
        elif asks_price:
            price_list = next(iter(needs.products))
    # a proposal asked for before there was a quote is made as soon as there is one
    promised = any(words in reply for words in PROMISES for reply in talk.replies)
    proposal = proposal or (request is not None and promised and "proposal" not in context.documents)
    fresh = _introduced(talk)
    if fresh and request is None and not price_list and not questions and not bad_volume:
        questions = tuple(_introduction(code, catalogue) for code in fresh[:2])
    refused = talk.means("privacy", "attack", "attack_price", "foreign", "fun", "complaint", "threat")
    refused = refused or any(understood.unknown for understood in talk.said)
    if talk.means("price") and not refused and not needs.products and not needs.services and not questions:
        questions = (Question("", kind="prices"),)
    other_period = None
    if request is not None and compares_periods:
        other = "month" if request.arguments["billing_period"] == "year" else "year"
        other_period = {**request.arguments, "billing_period": other}
        questions = tuple(question for question in questions if question.kind != "periods")
    figures = any(question.kind in FACTS for question in questions) or bool(price_list) or talk.means("attack_price")
    figures = figures or (request is not None and needs.period is None and bool(needs.products))
    return Plan(
        questions=questions,
        price_list=price_list,
        request=request,
        other_period=other_period,
        figures=figures,
        contact=contact,
        facts=facts_in(talk, catalogue),
        person=_why(talk) if person else "",
        left_open=_left_open(talk),
        proposal=proposal,
        agreed=agreed,
    )


def _agreed(talk: Talk, context: TurnContext) -> bool:
    """Whether these messages answer «Согласен» to our asking: by now it isn't asked for any more."""
    asked = any(f"«{AGREE['ru']}»" in reply or f"“{AGREE['en']}”" in reply for reply in talk.replies[-5:])
    pending = talk.heard[len(talk.heard) - len(talk.said) :]
    return asked and not context.asks_consent and any(_AGREES.match(text) for text in pending)


def _why(talk: Talk) -> HandoverReason:
    """Why a person is called: those who say yes to our offer have asked for what we couldn't answer."""
    if talk.means("threat", "complaint"):
        return HandoverReason.ANGRY
    if talk.means("person"):
        return HandoverReason.ASKED
    if _left_open(talk):
        return HandoverReason.NO_ANSWER
    return HandoverReason.APPROVAL if talk.needs.products else HandoverReason.ASKED


def _left_open(talk: Talk) -> str:
    """The question that our last reply had no answer to."""
    return talk.asked.text if talk.asked and any(words in talk.last_reply for words in UNKNOWN) else ""


def _budget_again(talk: Talk) -> tuple[Question, ...]:
    """«А до 50?» after a budget names another one; who says 50 means thousands."""
    heard = [understood.volume for understood in talk.said if understood.volume and not understood.products]
    if talk.asked_of != "budget" or not heard:
        return ()
    return (Question("", talk.needs.topics, "budget", amount=heard[-1] * (1 if heard[-1] >= 1000 else 1000)),)


def _quotable(needs: Needs, context: TurnContext) -> bool:
    """Whether a price can be named. Of several products those without a size are priced from the smallest tier."""
    if needs.services or len(needs.products) > 1 or any(size.known for size in needs.products.values()):
        return True
    request = (context.quote or {}).get("request") or {}
    return needs.products.keys() <= {wanted["product"] for wanted in request.get("products") or ()}


def _introduced(talk: Talk) -> list[str]:
    """Products that came up now for the first time."""
    known = {*talk.before.products, *talk.before.topics}
    return [code for code in talk.needs.products if code not in known]


def _introduction(code: str, catalogue: Rules) -> Question:
    product = catalogue.product(code)
    name = product.name.ru if product is not None else code
    return Question(f"Что умеет {name}", (code,), "about")


#: names from another alphabet, as customers spell them and as articles do
_SPELLINGS = (
    (re.compile(r"\b(?:в[оа][тц]{1,2}с?[аэ]пп?|whats?app?|wa)[а-я]{0,2}\b", re.IGNORECASE), "WhatsApp"),
    (re.compile(r"\b(?:телеграмм?|телега|телегу|телеге|тг|tg)(?:[аеу]|ом)?\b", re.IGNORECASE), "Telegram"),
)


def _in_russian(question: Question) -> Question:
    """An English question in the words of the articles, which are Russian."""
    translated = "" if re.search("[а-яё]", question.text, re.IGNORECASE) else in_russian(question.text)
    return replace(question, text=translated, said=question.text) if translated else question


def _as_written(question: Question, catalogue: Rules) -> Question:
    """A question with names spelt as the articles spell them, and words that no dictionary has as they were meant."""
    text = question.text
    cut = morphology.cut(text)
    for word, meant in reversed(list(zip(cut.words, phrasebook(catalogue).lemmas(cut.words), strict=True))):
        if word.kind == "word" and meant != word.lemma and meant != word.raw and not word.raw.isascii():
            text = text[: word.start] + meant + text[word.end :]
    for spelling, name in _SPELLINGS:
        text = spelling.sub(name, text)
    return replace(question, text=text)


def _in_context(question: Question, talk: Talk, context: TurnContext, catalogue: Rules) -> Question | None:
    """«А он умеет…?» is a question about the product spoken of before, «подробнее» about what was asked before."""
    if question.kind == "more":
        if not talk.asked:
            return None
        return replace(talk.asked, kind="more")
    if question.kind == "cheapest":
        kind: Kind = "periods" if talk.needs.products and _quotable(talk.needs, context) else "prices"
        return replace(question, kind=kind)
    if question.kind == "tiers" and len(question.names) == 1 and _COMPARES.search(question.text):
        question = replace(question, names=())  # «чем Бизнес лучше?»: than the others
    if question.kind in {"tiers", "budget"} and not question.products:
        return replace(question, products=tuple(talk.needs.products) or talk.needs.topics)
    if question.products or not question.refers or not talk.needs.topics:
        return question
    product = catalogue.product(talk.needs.topics[-1])
    return question if product is None else replace(question, products=(product.code,))


_COMPARES = re.compile("чем|лучше|отлич|разниц|better|differ", re.IGNORECASE)


def _at_large(question: Question, catalogue: Rules) -> Question:
    """«Расскажите про юриста» and «а что он делает?» ask what the product can do: the words its article answers."""
    if len(question.products) != 1 or question.kind not in {"knowledge", "guess"}:
        return question
    product = catalogue.product(question.products[0])
    if product is None:
        return question
    own = content(f"{product.name.ru} {product.name.en}")
    if content(question.text) - own - lexicon.AT_LARGE - lexicon.PRONOUNS - {"ai", "ии"}:
        return question
    if re.search(r"\bне\b", question.text, re.IGNORECASE):
        return replace(question, text=f"Чего не делает {product.name.ru}")
    return _introduction(product.code, catalogue)


def request_for(needs: Needs, catalogue: Rules) -> Request:
    """The arguments of a quote; what the customer left open is filled by the smallest tier and said so."""
    products, assumed = [], []
    enlarged: dict[str, tuple[str, str]] = {}
    for code, size in needs.products.items():
        product = catalogue.product(code)
        if product is None:
            continue
        wanted: dict[str, Any] = {"product": code}
        if not size.known or size.assumed:
            assumed.append(code)
            wanted["tier"] = tier_of(catalogue, code, "cheapest")
        else:
            tier, fits = _tier(product, size)
            if fits:
                enlarged[code] = (tier or "", fits)
                tier = None
            wanted |= {"tier": tier} if tier else {}
            wanted |= {"volume": size.volume} if size.volume else {}
        products.append(wanted)
    arguments = {
        "products": products,
        "services": [{"service": code, "quantity": quantity} for code, quantity in needs.services.items()],
        "billing_period": needs.period or "month",
        "startup": bool(needs.startup),
    }
    return Request(arguments, tuple(assumed), enlarged)


def _tier(product: Product, size: Size) -> tuple[str | None, str]:
    """The tier that was named, and the one to take instead when it is too small for the volume."""
    try:
        choose_tier(product, tier=size.tier, volume=size.volume)
    except Refused as refused:
        if refused.code == "tier_too_small":
            return size.tier, refused.facts["fits"].code
    return size.tier, ""


def first_calls(plan: Plan, context: TurnContext, catalogue: Rules) -> list[ToolRequest]:
    """What can be called at once; ids say what a call is for."""
    calls = [
        ToolRequest(f"search-{at}", SEARCH, {"query": query_of(each.text)})
        for at, each in enumerate(plan.questions)
        if _is_searched(each)
    ]
    if plan.figures:
        calls.append(ToolRequest("figures", PRICES, {}))
    if plan.contact:
        calls.append(ToolRequest("contact", CONTACT, dict(plan.contact)))
    if plan.other_period is not None:
        calls.append(ToolRequest("quote-other", QUOTE, plan.other_period))
    if plan.request is not None:  # the last one is the one that is remembered
        calls.append(ToolRequest("quote", QUOTE, plan.request.arguments))
    if plan.facts:
        calls.append(ToolRequest("facts", NOTE, {"facts": list(plan.facts)}))
    if plan.person and not context.waiting:
        calls.append(ToolRequest("person", PERSON, {"reason": plan.person, "question": plan.left_open}))
    return calls


def _is_searched(question: Question) -> bool:
    """Whether articles may say something of it: not of what the catalogue knows, nor of papers that are ordered."""
    if question.kind == "ware":
        return not question.special  # «продаёте серверы?»: the catalogue says it all
    return question.special or question.kind not in FACTS | {"paper"}


def next_calls(plan: Plan, done: Done, context: TurnContext, catalogue: Rules) -> list[ToolRequest]:
    """What rests on the first results: the proposal on the quote."""
    calls: list[ToolRequest] = []
    proposal = done.get("proposal")
    if plan.proposal and proposal is None:
        number = quote_number(plan, done, context)
        if number:
            calls.append(ToolRequest("proposal", PROPOSAL, {"quote_number": number}))
    elif proposal is not None and proposal.failed and QUOTE in proposal.text and plan.request is None:
        calls += _once_more(done, context, catalogue)
    return calls


def _once_more(done: Done, context: TurnContext, catalogue: Rules) -> list[ToolRequest]:
    """A remembered quote may have run out, and the tool says so: quote the same anew, and try with that."""
    if done.get("quote") is None:
        needs = from_request((context.quote or {}).get("request") or {})
        return [ToolRequest("quote", QUOTE, request_for(needs, catalogue).arguments)]
    number = str(done.data("quote").get("number", ""))
    if not number or done.get("proposal-again") is not None:
        return []
    return [ToolRequest("proposal-again", PROPOSAL, {"quote_number": number})]


def quote_number(plan: Plan, done: Done, context: TurnContext) -> str:
    """The quote to make a proposal from: this turn's, else the last one if nothing has changed since."""
    if plan.request is not None:
        return str(done.data("quote").get("number", ""))
    return str((context.quote or {}).get("number", ""))


def priced_request(plan: Plan, context: TurnContext) -> Mapping[str, Any]:
    """What the quote in force was made of: this turn's, else the last one's."""
    if plan.request is not None:
        return plan.request.arguments
    return (context.quote or {}).get("request") or {}


def already(log: Sequence[Entry]) -> bool:
    """Whether this turn has made its first calls."""
    return any(isinstance(entry, Reply) and entry.calls for entry in log)


def heard_texts(log: Sequence[Entry]) -> list[str]:
    return [entry.text for entry in log if isinstance(entry, Heard)]
