"""How a reply ends: with one question at most, and with buttons."""

from __future__ import annotations

from knowledge.llm.keyless.draft import Draft
from knowledge.llm.keyless.needs import asked_about, last_question
from knowledge.llm.keyless.wording import or_listed


def close(draft: Draft) -> None:
    """Ask the one thing that helps most now; the same question is never put twice in a row."""
    if draft.talk.means("goodbye", "not_now"):
        return
    for question in candidates(draft):
        if question and last_question(question) != last_question(draft.talk.last_reply):
            draft.ask(question)
            return


def candidates(draft: Draft) -> list[str]:
    """What could be asked, the most useful first; a question is never put twice in a row."""
    quoted = draft.done.get("quote") is not None and not draft.done.get("quote").failed  # type: ignore[union-attr]
    if draft.unanswered and not draft.plan.person and not draft.context.waiting:
        draft.chips += [draft.say("chip_person"), *size_chips(draft)]
        return [draft.say("offer_person")]
    if quoted:
        return after_quote(draft)
    failed = draft.done.get("quote")
    if draft.plan.person and not (draft.plan.proposal or draft.plan.request):
        return []
    if failed is not None:
        return [ask_size(draft), draft.say("offer_person")]
    if draft.plan.proposal and draft.done.get("proposal") is not None:
        return []
    if draft.talk.needs.products:
        return about_products(draft)
    return about_nothing_yet(draft)


def after_quote(draft: Draft) -> list[str]:
    assumed = draft.plan.request.assumed if draft.plan.request is not None else (draft.plan.price_list,)
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
        draft.chips.append(draft.say("chip_person"))
        questions.append("" if draft.context.waiting else draft.say("offer_person"))
    if draft.talk.needs.products:
        draft.chips.append(draft.say(period_chip))
    if not proposal:
        draft.chips.append(draft.say("chip_proposal"))
    may_be_startup = draft.talk.needs.products and draft.talk.needs.startup is None
    if not assumed and may_be_startup and any(each.startup for each in draft.catalogue.discounts):
        draft.chips.append(draft.say("chip_startup"))
    draft.chips.append(draft.say("chip_person"))
    if draft.talk.needs.period is None and _year_pays(draft) and not proposal:
        questions.append(draft.say("offer_year"))
    if not proposal:
        questions.append(draft.say("offer_proposal"))
    return [] if draft.plan.person else questions


def _year_pays(draft: Draft) -> bool:
    discounts = draft.catalogue.discounts if draft.talk.needs.products else ()
    return any(discount.billing_period == "year" for discount in discounts)


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
    if asks_cheaper and draft.talk.needs.period != "year" and _year_pays(draft):
        draft.chips.insert(0, draft.say("chip_year"))
        return [draft.say("offer_year"), ""]
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
    topics = [product for code in draft.talk.needs.topics if (product := draft.catalogue.product(code)) is not None]
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
    wants_product = (
        draft.talk.means("price", "want", "proposal", "range", "advise", "unsure")
        or draft.talk.needs.loose.known
        or _noted(draft)
    )
    ask = draft.say("ask_product", products=or_listed(draft.product_names(), draft.language))
    if wants_product:
        draft.chips += first_chips(draft)
        return [ask] if draft.parts else [ask, draft.say("offer_person")]
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


def size_chips(draft: Draft, code: str = "") -> list[str]:
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
    """Where to begin."""
    spoken_of = {*draft.talk.needs.topics, *draft.talk.before.topics}
    names = [draft.name(product) for product in draft.catalogue.products if product.code not in spoken_of]
    chips = [draft.say("chip_what", product=name) for name in names[:2]]
    if draft.catalogue.products:
        chips.append(draft.say("chip_price", product=draft.product_names()[0]))
    return [*chips, draft.say("chip_person")]
