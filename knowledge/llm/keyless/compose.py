"""Puts a reply together: what was asked is answered, one thing is asked, the next steps are offered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from knowledge.llm.keyless import passages
from knowledge.llm.keyless import plan as plans
from knowledge.llm.keyless.closing import close, first_chips
from knowledge.llm.keyless.draft import Draft
from knowledge.llm.keyless.needs import Needs, Size, Talk, last_question
from knowledge.llm.keyless.plan import Done, Plan
from knowledge.llm.keyless.questions import Question
from knowledge.llm.keyless.quotewords import quote_in_words
from knowledge.llm.keyless.wording import FIELDS, listed
from pricing.calculator import Rules
from sales.assistant.protocol import Entry, Reply, TurnContext

CHIPS_MOST = 4


def compose(
    *, talk: Talk, plan: Plan, done: Done, context: TurnContext, log: Sequence[Entry], catalogue: Rules
) -> Reply:
    """The words of a turn whose tools have all answered."""
    draft = Draft(talk, plan, done, context, catalogue, plans.heard_texts(log))
    for write in PARTS:
        write(draft)
    if not draft.parts:
        draft.add(draft.say("person_coming" if context.waiting else "not_understood"))
        draft.chips += first_chips(draft)
        draft.notes.append("not understood")
    return Reply(
        text="\n\n".join(draft.parts),
        chips=tuple(dict.fromkeys(draft.chips))[:CHIPS_MOST],
        sources=tuple(dict.fromkeys(draft.sources)),
        unanswered=tuple(draft.missing),
        reason="; ".join(draft.notes),
    )


def greet(draft: Draft) -> None:
    if not draft.talk.means("greeting") or any(
        reply.startswith(draft.say("hello")[:-1]) for reply in draft.talk.replies
    ):
        return
    name = draft.plan.contact.get("name", "")
    draft.add(draft.say("hello_name", name=name) if name else draft.say("hello"))


def talk_of_itself(draft: Draft) -> None:
    if draft.talk.means("identity"):
        draft.add(draft.say("not_human"))
        draft.chips.append(draft.say("chip_person"))
    elif draft.talk.means("abilities"):
        draft.add(draft.say("who_i_am"))
    elif draft.talk.means("smalltalk"):
        draft.add(draft.say("smalltalk"))
    if draft.talk.means("foreign"):
        draft.add(draft.say("foreign"))


def refuse(draft: Draft) -> None:
    if draft.talk.means("attack"):
        draft.add(draft.say("instructions"))
        draft.notes.append("asked for instructions")
    if draft.talk.means("attack_price"):
        draft.add(draft.say("prices_are_ruled"))
        draft.notes.append("asked to change a price")
    if draft.talk.means("privacy"):
        draft.add(draft.say("privacy"))
    if draft.talk.means("complaint"):
        draft.add(draft.say("sorry"))
        if draft.context.waiting:
            draft.add(draft.say("person_coming"))
        draft.unanswered = True  # a person should look at it, whatever is found


def take_contact(draft: Draft) -> None:
    if draft.talk.means("no_contact") and not draft.plan.contact:
        draft.add(draft.say("contact_refused"))
    if not draft.plan.contact:
        return
    result = draft.done.get("contact")
    if result is None or result.failed:
        kinds = [kind for kind in ("phone", "email") if kind in draft.plan.contact]
        draft.add(draft.say(f"{kinds[0]}_incomplete" if len(kinds) == 1 else "contact_failed"))
        return
    saved = result.data.get("saved") or list(draft.plan.contact)
    name = draft.plan.contact.get("name", "")
    what = [FIELDS[field][draft.language] for field in saved if field in FIELDS and field != "name"]
    if not what:
        if not (draft.parts and name in draft.parts[0]):  # the greeting may have named them already
            draft.add(draft.say("nice_to_meet", name=name))
    elif name and not (draft.parts and name in draft.parts[0]):
        draft.add(draft.say("contact_saved_name", name=name, what=listed(what, draft.language)))
    else:
        draft.add(draft.say("contact_saved", what=listed(what, draft.language)))


def name_unknown_products(draft: Draft) -> None:
    for understood in draft.talk.said:
        for name in understood.unknown:
            draft.add(draft.say("unknown_product", name=name, products=listed(draft.product_names(), draft.language)))


def show_range(draft: Draft) -> None:
    """What there is to buy at all."""
    lost = draft.talk.means("unsure") and not draft.talk.needs.products and not draft.talk.needs.topics
    if draft.talk.means("range") or lost:
        services = [_inside(service.name.in_language(draft.language)) for service in draft.catalogue.services]
        draft.add(draft.say("we_have", products=listed(draft.product_names(), draft.language)))
        if services:
            draft.add(draft.say("services_too", services=listed(services, draft.language)))


def answer_questions(draft: Draft) -> None:
    """Answer from the articles; say plainly where they don't help."""
    missing = []
    for at, question in enumerate(draft.plan.questions):
        told = _tell(draft, question, draft.done.hits(f"search-{at}"))
        if question.kind == "paper" and not draft.plan.proposal:
            told = draft.add(draft.say("papers_by_person")) or told
            draft.unanswered = True  # a person has to do it
        if question.kind == "ware" and not told:
            names = listed(draft.product_names(), draft.language)
            told = draft.add(draft.say("not_on_sale", name=_quotable(question.text), products=names))
        if not told:
            missing.append(question)
    if not missing:
        return
    draft.notes.append(f"{len(missing)} questions without an answer")
    if all(question.kind == "guess" for question in missing) and _has_other_business(draft):
        return
    if all(question.kind == "guess" for question in missing) and last_question(draft.talk.last_reply):
        draft.add(draft.say("unclear_answer"))  # they answered our question, and asked nothing
        return
    draft.unanswered = True
    if not draft.talk.means("complaint", "privacy"):
        _say_not_known(draft, missing)


def _tell(draft: Draft, question: Question, hits: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there was a passage to show."""
    told = False
    most = passages.LENGTH_BESIDE_PRICE if draft.plan.request is not None else passages.LENGTH_MOST
    for answer in passages.choose(question, hits, most=most):
        if draft.language == "en" and not draft.sources and re.search("[а-яё]", answer.text):
            draft.add(draft.say("in_russian"))
        if answer.text in draft.parts:
            told = True  # two questions, one answer
        elif any(answer.text in reply for reply in draft.talk.replies[-3:]):
            told = draft.add(draft.say("told_above")) or told
            draft.unanswered = True  # they ask again, so it wasn't enough
        elif draft.add(answer.text):
            draft.sources.append(answer.article)
            told = True
    return told


def _say_not_known(draft: Draft, missing: Sequence[Question]) -> None:
    searches = [result for call, result in draft.done.results.items() if call.startswith("search-")]
    if searches and all(result.failed for result in searches):
        draft.add(draft.say("search_is_off"))
        return
    draft.missing += [question.text for question in missing]
    if len(draft.plan.questions) == 1:
        draft.add(draft.say("dont_know"))
    else:
        for question in missing:
            if not draft.add(draft.say("dont_know_what", question=_quotable(question.text))):
                draft.add(draft.say("dont_know"))


def _quotable(text: str) -> str:
    """What a customer wrote, short and without marks that would mean something in Markdown."""
    return re.sub(r"[*_`<>\[\]|«»]", "", text).strip(" ?")[:100]


def _has_other_business(draft: Draft) -> bool:
    return bool(draft.parts or draft.plan.request or draft.plan.contact or draft.plan.person or draft.plan.proposal)


def name_prices(draft: Draft) -> None:
    if draft.plan.price_list:
        listed_prices = plans.list_of_prices(draft.plan.price_list, draft.done, draft.catalogue)
        if listed_prices is not None and draft.add(_prices_by_size(draft, listed_prices.text)):
            draft.sources.append(listed_prices.article)
            return
    if draft.plan.all_prices:
        list_all_prices(draft)
    result = draft.done.get("quote")
    if result is None:
        return
    if result.failed:
        draft.add(draft.failed("quote") or draft.say("quote_failed"))
        draft.notes.append("the quote was refused")
        return
    draft.add(quote_in_words(result.text))
    explain_request(draft)


def _prices_by_size(draft: Draft, prices: str) -> str:
    """A table needs a word before it; a passage brings its own."""
    return f"{draft.say('by_size')}\n\n{prices}" if prices.startswith("|") else prices


def list_all_prices(draft: Draft) -> None:
    for product in draft.catalogue.products:
        prices = plans.list_of_prices(product.code, draft.done, draft.catalogue)
        if prices is not None and draft.add(f"**{draft.name(product)}**\n\n{prices.text}"):
            draft.sources.append(prices.article)


def explain_request(draft: Draft) -> None:
    """Say where the quote differs from what was named."""
    request = draft.plan.request or (plans.request_for(Needs({draft.plan.price_list: Size()}), draft.catalogue))
    assumed = [product for code in request.assumed if (product := draft.catalogue.product(code)) is not None]
    if len(assumed) > 1 and len(assumed) == len(draft.talk.needs.products):
        draft.add(draft.say("smallest_of_all"))
    else:
        for product in assumed:
            tier = product.tier(draft.done.data("quote").get("tiers", {}).get(product.code, ""))
            if tier is not None:
                called = tier.name.in_language(draft.language)
                draft.remark = draft.say("smallest_of", product=draft.name(product), tier=called)
                draft.add(draft.remark)
    for code, (named, fits) in request.enlarged.items():
        owner = draft.catalogue.product(code)
        small, large = (owner.tier(named), owner.tier(fits)) if owner is not None else (None, None)
        if owner is not None and small is not None and large is not None:
            words = {"named": small.name.in_language(draft.language), "fits": large.name.in_language(draft.language)}
            draft.add(draft.say("larger_tier", product=draft.name(owner), **words))


def correct(draft: Draft) -> None:
    if any(understood.unsold_period for understood in draft.talk.said):
        draft.add(draft.say("unsold_period"))
    if any(understood.bad_volume for understood in draft.talk.said):
        draft.add(draft.say("bad_volume"))
    if draft.done.get("quote") is not None:
        return
    needs, before = draft.talk.needs, draft.talk.before
    if before.products and not needs.products and not needs.services:
        draft.add(draft.say("nothing_left"))
    if needs.startup != before.startup and needs.startup is not None and (needs.startup or before.startup):
        draft.add(draft.say("startup_noted" if needs.startup else "not_startup_noted"))
    said_period = any(understood.period for understood in draft.talk.said) and not draft.plan.questions
    if said_period and needs.period and not draft.plan.price_list:
        draft.add(draft.say("year_noted" if needs.period == "year" else "month_noted"))


def give_proposal(draft: Draft) -> None:
    if not draft.plan.proposal:
        return
    result = draft.done.get("proposal-again") or draft.done.get("proposal")
    if result is None:
        if not plans.quote_number(draft.plan, draft.done, draft.context):
            draft.add(draft.say("proposal_needs_quote"))
        else:  # nobody offers the tool
            draft.unanswered = True
            draft.add(draft.say("proposal_failed"))
        return
    if result.failed:
        draft.unanswered = True
        draft.add(draft.failed("proposal-again") or draft.failed("proposal") or draft.say("proposal_failed"))
        return
    number = str(result.data.get("number") or "")
    if not (number and draft.add(draft.say("proposal_number", number=number))):
        draft.add(draft.say("proposal_ready"))
    if may_ask_phone(draft):
        draft.add(draft.say("leave_phone"))


def may_ask_phone(draft: Draft) -> bool:
    """Whether to ask for a phone number: once, and never of those who refused."""
    known = "phone" in draft.context.contacts or {"phone", "email"} & draft.plan.contact.keys()
    asked = draft.has_said("leave_phone") or draft.has_said("leave_phone_call")
    return not (known or asked or draft.talk.refused_contact)


def bring_person(draft: Draft) -> None:
    if not draft.plan.person:
        return
    result = draft.done.get("person")
    if draft.context.waiting:
        draft.add(draft.say("person_coming"))
    elif result is None or result.failed:
        draft.add(draft.say("person_failed"))
        return
    else:
        draft.add(draft.say("person_called"))
    if may_ask_phone(draft) and not draft.plan.proposal:
        draft.add(draft.say("leave_phone_call"))


def be_polite(draft: Draft) -> None:
    talk = draft.talk
    if talk.means("goodbye"):
        draft.add(draft.say("goodbye"))
    elif talk.means("not_now") and not draft.plan.questions:
        draft.add(draft.say("no_hurry"))
    elif talk.means("thanks") and not draft.parts and not _will_ask(draft):
        draft.add(draft.say("thanks"))
    elif talk.means("no", "seen", "yes") and not draft.parts and not _will_ask(draft):
        draft.add(draft.say("fine"))


def _will_ask(draft: Draft) -> bool:
    return bool(draft.plan.proposal or draft.plan.price_list)


def _inside(name: str) -> str:
    """A name as it stands inside a sentence: «Интеграция с CRM» → «интеграция с CRM»."""
    return name[:1].lower() + name[1:]


#: a reply is written in this order
PARTS = (
    greet,
    talk_of_itself,
    refuse,
    take_contact,
    name_unknown_products,
    show_range,
    answer_questions,
    name_prices,
    correct,
    give_proposal,
    bring_person,
    be_polite,
    close,
)
