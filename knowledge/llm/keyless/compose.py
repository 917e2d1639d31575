"""Puts a reply together: what was asked is answered, one thing is asked, the next steps are offered."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from knowledge.llm.keyless import facts
from knowledge.llm.keyless import plan as plans
from knowledge.llm.keyless.answers import answer_questions
from knowledge.llm.keyless.closing import chosen_chips, close, first_chips
from knowledge.llm.keyless.draft import Draft
from knowledge.llm.keyless.needs import Talk
from knowledge.llm.keyless.plan import Done, Plan
from knowledge.llm.keyless.prices import composition, name_prices
from knowledge.llm.keyless.wording import FIELDS, inside, listed
from pricing import words
from pricing.calculator import Rules
from sales.assistant.protocol import Entry, Reply, TurnContext


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
        chips=chosen_chips(draft),
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
    elif draft.talk.means("here") and not draft.plan.questions and not draft.plan.person:
        draft.add(draft.say("here"))
    if draft.talk.means("fun"):
        draft.add(draft.say("no_fun"))
    elif draft.talk.means("foreign"):
        draft.add(draft.say("foreign"))


def refuse(draft: Draft) -> None:
    if draft.talk.means("attack"):
        draft.add(draft.say("instructions"))
        draft.notes.append("asked for instructions")
    if draft.talk.means("attack_price"):
        draft.add(draft.say("prices_are_ruled"))
        if draft.catalogue.discounts and not draft.has_begun("ways_to_save"):
            draft.add(draft.say("ways_to_save", discounts=facts.discounts_in_short(draft.catalogue, draft.language)))
        draft.notes.append("asked to change a price")
    if draft.talk.means("privacy"):
        draft.add(draft.say("privacy"))
    if draft.talk.means("complaint"):
        draft.add(draft.say("sorry"))
        if draft.context.waiting:
            draft.add(draft.say("person_coming"))
        draft.unanswered = True  # a person should look at it, whatever is found


def hear_consent(draft: Draft) -> None:
    """To who has just agreed: what is kept now, or that it may be given now."""
    if not draft.plan.agreed:
        return
    kept = [FIELDS[field][draft.language] for field in FIELDS if field in draft.context.contacts and field != "name"]
    draft.add(draft.say("agreed_saved", what=listed(kept, draft.language)) if kept else draft.say("agreed"))


def take_contact(draft: Draft) -> None:
    if draft.talk.means("no_contact") and not draft.plan.contact:
        draft.add(draft.say("contact_refused"))
    if not draft.plan.contact:
        return
    result = draft.done.get("contact")
    if result is not None and result.failed and result.data.get("wants_consent"):
        # the call itself asks, below these words
        draft.add(draft.say("contact_unkept"))
        draft.chips.insert(0, draft.say("agree_word"))
        return
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


def name_unknown_tiers(draft: Draft) -> None:
    for understood in draft.talk.said:
        for name in understood.unknown_tiers:
            tiers = {tier.code: tier for product in draft.catalogue.products for tier in product.tiers}
            names = [facts.tier_name(tier, draft.language) for tier in tiers.values()]
            draft.add(draft.say("unknown_tier", name=name, tiers=listed(names, draft.language)))


def recommend(draft: Draft) -> None:
    """To who describes their work and asks for advice, the product that does it."""
    topics = draft.products(draft.talk.needs.topics)
    if draft.talk.means("advise") and topics and not draft.plan.request:
        draft.add(draft.say("recommended", product=listed([draft.name(each) for each in topics], draft.language)))


def show_range(draft: Draft) -> None:
    """What there is to buy at all."""
    lost = draft.talk.means("unsure") and not draft.talk.needs.products and not draft.talk.needs.topics
    if any(question.kind == "services" for question in draft.plan.questions):
        return
    if draft.talk.means("range") or lost:
        services = [inside(service.name.in_language(draft.language)) for service in draft.catalogue.services]
        draft.add(draft.say("we_have", products=listed(draft.product_names(), draft.language)))
        if services:
            draft.add(draft.say("services_too", services=listed(services, draft.language)))


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
    parts = composition(draft)
    if parts:
        values = {"parts": listed(parts, draft.language), "period": _period(draft)}
        draft.parts[-1] += " " + draft.say("in_proposal", **values)
        total = str(result.data.get("total") or "")
        if total and draft.add(draft.say("proposal_total", total=words.money(Decimal(total)))):
            total_words = draft.parts.pop()
            draft.parts[-1] += " " + total_words
    if may_ask_phone(draft):
        ask_contact(draft, "leave_phone")


def _period(draft: Draft) -> str:
    request = plans.priced_request(draft.plan, draft.context)
    if not request.get("products"):
        return draft.say("period_none")
    return draft.say("period_year" if request.get("billing_period") == "year" else "period_month")


def may_ask_phone(draft: Draft) -> bool:
    """Whether to ask for a phone number: once, and never of those who refused."""
    known = "phone" in draft.context.contacts or {"phone", "email"} & draft.plan.contact.keys()
    asked = draft.has_said("leave_phone") or draft.has_said("leave_phone_call")
    return not (known or asked or draft.talk.refused_contact)


def ask_contact(draft: Draft, phrase: str) -> None:
    """Ask for a phone number; first for consent, once, where it has to be given before."""
    asking = draft.context.asks_consent
    if not asking:
        draft.add(draft.say(phrase))
    elif not any(asking in reply for reply in draft.talk.replies):
        draft.add(asking)
        draft.chips.insert(0, draft.say("agree_word"))


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
        ask_contact(draft, "leave_phone_call")


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


#: a reply is written in this order
PARTS = (
    greet,
    talk_of_itself,
    refuse,
    hear_consent,
    take_contact,
    name_unknown_products,
    name_unknown_tiers,
    recommend,
    show_range,
    answer_questions,
    name_prices,
    correct,
    give_proposal,
    bring_person,
    be_polite,
    close,
)
