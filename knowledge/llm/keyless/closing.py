"""How a reply ends: with one question at most, and with buttons."""

from __future__ import annotations

import re

from knowledge.llm.keyless import facts, lexicon
from knowledge.llm.keyless.draft import Draft
from knowledge.llm.keyless.needs import asked_about, last_question
from knowledge.llm.keyless.passages import content
from knowledge.llm.keyless.wording import inside, or_listed
from pricing import words


def close(draft: Draft) -> None:
    """Ask the one thing that helps most now; no question is put twice in a conversation."""
    if draft.talk.means("goodbye", "not_now"):
        return
    for question in candidates(draft):
        if question and not was_asked(draft, question):
            draft.ask(question)
            return


def was_asked(draft: Draft, question: str) -> bool:
    asked = last_question(question)
    return bool(asked) and any(asked in reply for reply in draft.talk.replies)


def candidates(draft: Draft) -> list[str]:
    """What could be asked, the most useful first."""
    if draft.gibberish:
        draft.chips += first_chips(draft)
        return []
    if draft.unanswered and not draft.plan.person and not draft.context.waiting:
        draft.chips.append(draft.say("chip_person"))
        return [draft.say("offer_person")]
    quote = draft.done.get("quote")
    if quote is not None and not quote.failed:
        return after_quote(draft)
    if draft.plan.person and not (draft.plan.proposal or draft.plan.request):
        return []
    if quote is not None:
        return [ask_size(draft), draft.say("offer_person")]
    if draft.plan.proposal and draft.done.get("proposal") is not None:
        return []
    if draft.talk.needs.products:
        return about_products(draft)
    return about_nothing_yet(draft)


def after_quote(draft: Draft) -> list[str]:
    assumed = draft.plan.request.assumed if draft.plan.request is not None else ()
    if draft.plan.other_period is not None and not draft.plan.proposal:
        draft.chips += [draft.say("chip_take_year"), draft.say("chip_take_month"), draft.say("chip_proposal")]
        return [draft.say("offer_period")]
    period_chip = "chip_month" if draft.talk.needs.period == "year" else "chip_year"
    proposal = bool(draft.plan.proposal)
    questions = []
    if assumed and not draft.plan.person:
        # of several sizes the next one is asked for, not the same again
        asked = asked_about(draft.talk.last_reply, draft.catalogue)
        wanted = next((code for code in assumed if code != asked), assumed[0])
        draft.chips += size_chips(draft, wanted)[:2]
        questions.append(ask_size(draft, wanted))
    if draft.done.data("quote").get("on_request"):
        draft.chips += [draft.say("chip_person"), *size_chips(draft, next(iter(draft.talk.needs.products), ""))[-1:]]
        return [] if draft.context.waiting or draft.plan.person else [draft.say("offer_person")]
    if not proposal:
        draft.chips.append(draft.say("chip_proposal"))
    if draft.talk.needs.products:
        draft.chips.append(draft.say(period_chip))
    draft.chips += next_steps(draft, assumed=bool(assumed))
    if draft.talk.needs.period is None and not proposal and not draft.has_begun("offer_year"):
        questions += offer_year(draft)
    if not proposal:
        questions.append(draft.say("offer_proposal"))
    return [] if draft.plan.person else questions


def next_steps(draft: Draft, *, assumed: bool) -> list[str]:
    """What else may be done with a quote, each time another thing first; what has been done is left out."""
    needs, steps = draft.talk.needs, []
    startups = any(each.startup for each in draft.catalogue.discounts)
    if needs.products and needs.startup is None and startups and not assumed:
        steps.append(draft.say("chip_startup"))
    if needs.products:
        missing = [service for service in draft.catalogue.services if service.code not in needs.services]
        if missing:
            name = missing[len(draft.talk.replies) // 2 % len(missing)].name.in_language(draft.language)
            steps.append(draft.say("chip_add", what=inside(name)))
        others = [product for product in draft.catalogue.products if product.code not in needs.products]
        if others and any(each.distinct_products for each in draft.catalogue.discounts):
            other = others[len(draft.talk.replies) % len(others)]
            steps.append(draft.say("chip_add", what=draft.name(other)))
        if needs.period is None:
            steps.append(draft.say("chip_compare_periods"))
    turn = len(draft.talk.replies) % (len(steps) or 1)
    return [*steps[turn:], *steps[:turn], draft.say("chip_person")]


def offer_year(draft: Draft) -> list[str]:
    """The offer to pay for a year, where that is cheaper."""
    percent = facts.percent_for_year(draft.catalogue) if draft.talk.needs.products else None
    if percent is None or draft.done.get("figures") is None:
        return []
    if any(words.percent(percent) in part for part in draft.parts):
        return [draft.say("offer_year_now")]
    return [draft.say("offer_year", percent=words.percent(percent))]


def about_products(draft: Draft) -> list[str]:
    """There are products, and no quote was made now: a size is missing, or something else was talked of."""
    unsized = [code for code, size in draft.talk.needs.products.items() if not size.known]
    if any(understood.bad_volume for understood in draft.talk.said):
        return [ask_size(draft)]
    if unsized:
        asks_now = bool(draft.plan.price_list or draft.plan.proposal or unsized[0] not in draft.talk.before.products)
        again = asked_about(draft.talk.last_reply, draft.catalogue) == unsized[0]
        if not asks_now and has_asked_size(draft, unsized[0]) and not again:
            return idle(draft)
        draft.chips += [*size_chips(draft, unsized[0])[:2], draft.say("chip_unsure"), draft.say("chip_person")]
        return [
            ask_size(draft, unsized[0]),
            draft.say("offer_smallest") if not draft.has_said("offer_smallest") else "",
        ]
    if "proposal" not in draft.context.documents:
        draft.chips.append(draft.say("chip_proposal"))
    asks_cheaper = any(question.kind == "discount" for question in draft.plan.questions)
    if not asks_cheaper:
        draft.chips.append(draft.say("chip_discounts"))
    draft.chips.append(draft.say("chip_person"))
    if asks_cheaper and draft.talk.needs.period != "year" and offer_year(draft):
        draft.chips.insert(0, draft.say("chip_year"))
        return offer_year(draft)
    if draft.context.quote is not None and "proposal" not in draft.context.documents and _may_offer_proposal(draft):
        return [draft.say("offer_proposal"), draft.say("offer_proposal_now")]
    return idle(draft)


def _may_offer_proposal(draft: Draft) -> bool:
    return not draft.has_said("offer_proposal") or bool(draft.plan.contact) or draft.talk.means("thanks")


def idle(draft: Draft) -> list[str]:
    """Nothing needs asking: an answer may simply end."""
    ends_here = draft.parts and not draft.talk.means("yes", "no", "seen") and not draft.plan.contact
    return [] if ends_here else [draft.say("what_else"), draft.say("how_help")]


def about_nothing_yet(draft: Draft) -> list[str]:
    topics = draft.products(draft.talk.needs.topics)
    if draft.context.quote is not None and not draft.talk.needs.products and not topics:
        draft.chips += [draft.say("chip_proposal"), draft.say("chip_person")]
        return idle(draft)
    if draft.talk.means("complaint") or draft.talk.unread:
        return []
    if draft.talk.means("attack", "privacy") and not topics:
        draft.chips += first_chips(draft)
        return []
    if len(topics) == 1 and not has_asked_size(draft, topics[0].code):
        draft.chips += [
            draft.say("chip_price", product=draft.name(topics[0])),
            draft.say("chip_discounts"),
            draft.say("chip_person"),
        ]
        return [draft.say("ask_volume_to_price", unit=topics[0].unit.in_language(draft.language))]
    wants_product = not (topics and draft.plan.questions) and (
        draft.talk.means("price", "want", "proposal", "range", "advise", "unsure")
        or draft.talk.needs.loose.known
        or _noted(draft)
    )
    ask = draft.say("ask_product", products=or_listed(draft.product_names(), draft.language))
    if wants_product:
        draft.chips += first_chips(draft)
        asks = [ask, draft.say("ask_task")]
        return asks if draft.parts else [*asks, draft.say("offer_person")]
    if (
        draft.talk.means("greeting", "yes", "yes_and", "identity", "smalltalk", "abilities")
        and not draft.plan.questions
    ):
        draft.chips += first_chips(draft)
        if draft.talk.means("greeting") and not draft.talk.means("identity") and not draft.talk.replies:
            draft.parts = [" ".join([*draft.parts, draft.say("who_i_am")])]
        return [ask if draft.talk.means("greeting") else draft.say("how_help"), draft.say("how_help")]
    if draft.parts:
        draft.chips += first_chips(draft)
    return []


def _noted(draft: Draft) -> bool:
    return draft.talk.needs.period != draft.talk.before.period or draft.talk.needs.startup != draft.talk.before.startup


def ask_size(draft: Draft, code: str = "") -> str:
    """Ask for a product's volume, naming the product where there are several."""
    product = draft.catalogue.product(code or next(iter(draft.talk.needs.products), ""))
    if product is None:
        return ""
    unit = product.unit.in_language(draft.language)
    if len(draft.talk.needs.products) > 1 and not draft.remark.startswith(draft.name(product)):
        return draft.say("ask_volume_of", product=draft.name(product), unit=unit)
    return draft.say("ask_volume", unit=unit)


def has_asked_size(draft: Draft, code: str) -> bool:
    return any(asked_about(reply, draft.catalogue) == code for reply in draft.talk.replies)


def size_chips(draft: Draft, code: str) -> list[str]:
    """The tiers of a product as buttons, but not the one already in the quote."""
    product = draft.catalogue.product(code)
    if product is None:
        return []
    taken = draft.done.data("quote").get("tiers", {}).get(code)
    return [
        draft.say("chip_tier", product=draft.name(product), tier=tier.name.in_language(draft.language))
        for tier in product.tiers
        if tier.code != taken and tier.price_month is not None
    ]


def first_chips(draft: Draft) -> list[str]:
    """Where to begin: each time with another product in front."""
    spoken_of = {*draft.talk.needs.topics, *draft.talk.before.topics}
    names = [draft.name(product) for product in draft.catalogue.products if product.code not in spoken_of]
    turn = len(draft.talk.replies) % (len(names) or 1)
    names = names[turn:] + names[:turn]
    chips = [draft.say("chip_what", product=name) for name in names[:2]]
    chips += [draft.say("chip_price", product=name) for name in (names[-1:] or draft.product_names()[:1])]
    return [*chips, draft.say("chip_discounts"), draft.say("chip_person")]


#: buttons beside a reply
CHIPS_MOST = 4
#: of them questions that the articles behind the reply answer too, and how long such a button may be
FURTHER_MOST, FURTHER_LONGEST = 2, 48


def chosen_chips(draft: Draft) -> tuple[str, ...]:
    """The buttons that fit, without what the customer has said already."""
    heard = {_bare(text) for text in draft.talk.heard}
    told = draft.say("discounts_are")
    if any(told in text for text in [*draft.parts, *draft.talk.replies]):
        heard.add(_bare(draft.say("chip_discounts")))
    fitting = [chip for chip in dict.fromkeys(draft.chips) if _bare(chip) not in heard]
    further = _further(draft, heard)
    # what comes next of the deal first, then what else is worth knowing, a person last
    room = CHIPS_MOST - len(further)
    return tuple([*fitting[: max(1, room - 1)], *further, *fitting[max(1, room - 1) :]][:CHIPS_MOST])


def _further(draft: Draft, heard: set[str]) -> list[str]:
    asked = [content(text) for text in draft.talk.heard]
    names = content(" ".join(draft.product_names())) | {"ai", "бот", "помощник"}
    found: list[str] = []
    for question in draft.further:
        words = content(question) - lexicon.AT_LARGE - lexicon.PRONOUNS - names - {"такой"}
        known = any(len(words & one) * 2 > len(words) for one in asked)
        if (
            not words
            or known
            or not question.endswith("?")
            or len(question) > FURTHER_LONGEST
            or _bare(question) in heard
        ):
            continue
        if bool(re.search("[а-яё]", question, re.IGNORECASE)) == (draft.language == "ru"):
            found.append(question)
    turn = len(draft.talk.replies) % (len(found) or 1)
    return list(dict.fromkeys(found[turn:] + found[:turn]))[:FURTHER_MOST]


def _bare(text: str) -> str:
    return text.lower().strip(" ?!.")
