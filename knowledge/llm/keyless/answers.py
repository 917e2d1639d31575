"""Answers what was asked: by the catalogue where it knows, else in the words of articles, else plainly not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from knowledge.llm.keyless import facts, morphology, passages
from knowledge.llm.keyless.draft import Draft
from knowledge.llm.keyless.needs import last_question
from knowledge.llm.keyless.questions import DISCOUNT_WORDS, FACTS, Question
from knowledge.llm.keyless.wording import listed
from pricing import words


def answer_questions(draft: Draft) -> None:
    """Answer each question in turn; say plainly which have no answer."""
    missing = []
    for at, question in enumerate(draft.plan.questions):
        told = _tell(draft, question, _about_special(question, draft.done.hits(f"search-{at}")))
        if not told and question.kind in FACTS:
            told = _tell_fact(draft, question)
        if question.kind == "paper" and not draft.plan.proposal:
            told = draft.add(draft.say("papers_by_person")) or told
            draft.unanswered = True  # a person has to do it
        if question.kind == "ware" and not told:
            names = listed(draft.product_names(), draft.language)
            told = draft.add(draft.say("not_on_sale", name=_quotable(question.text), products=names))
        if not told:
            missing.append(question)
    if missing:
        _admit(draft, missing)


def _about_special(question: Question, hits: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Of what was found on discounts only that which has the words beyond them, or the catalogue answers better."""
    if question.kind != "discount":
        return hits
    special = {word for word in passages.content(question.text) if word not in DISCOUNT_WORDS}
    return [hit for hit in hits if special & passages.content(f"{hit.get('title', '')} {hit.get('text', '')}")]


def _admit(draft: Draft, missing: Sequence[Question]) -> None:
    """The one place where a question counts as unanswered: ``draft.missing`` is what staff see of it."""
    draft.notes.append(f"{len(missing)} questions without an answer")
    if all(is_gibberish(question.text) for question in missing):
        if not draft.parts and not draft.plan.person:
            draft.add(draft.say("not_understood"))
            draft.gibberish = True
        return
    if all(question.kind == "guess" for question in missing):
        if draft.parts or draft.plan.request or draft.plan.contact or draft.plan.person or draft.plan.proposal:
            return
        fresh = [code for code in draft.talk.needs.topics if code not in draft.talk.before.topics]
        products = draft.products(fresh)
        if products:
            names = listed([draft.name(each) for each in products], draft.language)
            draft.add(draft.say("recommended", product=names))
            return
        if last_question(draft.talk.last_reply):
            # they answered our question, and asked nothing
            draft.add(draft.say("unclear_answer" if draft.context.quote is None else "unclear_after_quote"))
            return
    draft.unanswered = True
    if draft.talk.means("complaint", "privacy"):
        return
    searches = [result for call, result in draft.done.results.items() if call.startswith("search-")]
    if searches and all(result.failed for result in searches):
        draft.add(draft.say("search_is_off"))
        return
    draft.missing += [question.said or question.text for question in missing]
    if len(draft.plan.questions) == 1:
        draft.add(draft.say("dont_know"))
        return
    for question in missing:
        if not draft.add(draft.say("dont_know_what", question=_quotable(question.said or question.text))):
            draft.add(draft.say("dont_know"))


def is_gibberish(text: str) -> bool:
    """Whether no word of a text is in any dictionary: «асдфыва»."""
    words = [word for word in morphology.cut(text).words if word.kind == "word"]
    return not any(len(word.raw) > 1 and (word.raw.isascii() or morphology.is_known(word.raw)) for word in words)


# --- in the words of articles ---


def _tell(draft: Draft, question: Question, hits: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there was a passage to show."""
    told = False
    for answer in passages.choose(question, hits, most=_room(draft, question), said=_said(draft, question)):
        text = "\n\n".join(block for block in answer.text.split("\n\n") if block not in "\n".join(draft.parts))
        if not text or (text.startswith("**") and "\n" not in text):
            told = True  # two questions, one answer
        elif any(answer.text in reply for reply in draft.talk.replies) and _asked_before(draft, question):
            told = draft.add(draft.say("told_above")) or told
            draft.unanswered = True  # they ask again, so it wasn't enough
        else:
            if draft.language == "en" and not draft.sources and re.search("[а-яё]", answer.text):
                draft.add(draft.say("in_russian"))
            if draft.add(text):
                draft.sources.append(answer.article)
                draft.further += answer.further
                told = True
    return told


def _asked_before(draft: Draft, question: Question) -> bool:
    """Whether the same was asked before, in these or much the same words."""
    asked = passages.content(question.text)
    earlier = (passages.content(text) for text in draft.talk.heard[: -len(draft.talk.said)])
    return any(len(asked & words) * 4 >= len(asked) * 3 for words in earlier if asked)


def _room(draft: Draft, question: Question) -> int:
    """Characters for an answer: few beside a price or other answers, more for who asks for more."""
    if question.kind == "more":
        return passages.LENGTH_MORE
    if draft.plan.request is not None or len(draft.plan.questions) > 1:
        return passages.LENGTH_BESIDE
    return passages.LENGTH_MOST


def _said(draft: Draft, question: Question) -> str:
    """What «подробнее» needn't hear again."""
    return "\n".join(draft.talk.replies[-3:]) if question.kind == "more" else ""


def _quotable(text: str) -> str:
    """What a customer wrote, short and without marks that would mean something in Markdown."""
    return re.sub(r"[*_`<>\[\]|«»]", "", text).strip(" ?")[:100]


# --- by the catalogue ---


def _tell_fact(draft: Draft, question: Question) -> bool:
    text = _fact(draft, question)
    if question.kind == "discount" and any(text in reply for reply in draft.talk.replies):
        text = draft.say("ways_to_save", discounts=facts.discounts_in_short(draft.catalogue, draft.language))
    if any(text in reply for reply in draft.talk.replies[-2:]):
        draft.unanswered = True
        return draft.add(draft.say("told_above"))
    return draft.add(text)


def _fact(draft: Draft, question: Question) -> str:
    catalogue, language = draft.catalogue, draft.language
    products = [product for product in catalogue.products if product.code in question.products]
    match question.kind:
        case "discount" if "services" in question.names:
            return draft.say("no_discount_on_services")
        case "discount":
            return facts.discounts(catalogue, question.names, language)
        case "tiers":
            compared = facts.tiers_compared(products or catalogue.products, question.names, language)
            return f"{draft.say('tiers_differ')}\n\n{compared}"
        case "periods":
            percent = facts.percent_for_year(catalogue)
            return "" if percent is None else draft.say("year_discount", percent=words.percent(percent))
        case "vat":
            return facts.vat(catalogue, language)
        case "services":
            return facts.services(catalogue, language)
        case "budget":
            return facts.within_budget(products or catalogue.products, question.amount, language)
        case _:
            if len(products) > 1:
                return facts.prices_from(products, language)
            return f"{draft.say('prices_lead')}\n\n{facts.prices_from(catalogue.products, language)}"
