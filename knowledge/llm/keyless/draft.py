"""A reply in the making: what it rests on, and what of it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from knowledge.llm.keyless.needs import Talk, asked_about
from knowledge.llm.keyless.plan import Done, Plan
from knowledge.llm.keyless.wording import Language, say, ways_of
from pricing.calculator import Product, Rules
from sales.assistant import guard
from sales.assistant.protocol import TurnContext


@dataclass
class Draft:
    """Paragraphs, sources and buttons; a paragraph with an amount that no tool has named is left out."""

    talk: Talk
    plan: Plan
    done: Done
    context: TurnContext
    catalogue: Rules
    #: every text of the log, for the guard
    heard: Sequence[str]
    parts: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    chips: list[str] = field(default_factory=list)
    #: what the trace should know
    notes: list[str] = field(default_factory=list)
    #: something was asked that only a person can answer
    unanswered: bool = False
    #: nothing of what was written is a word
    gibberish: bool = False
    #: the questions that no article answers
    missing: list[str] = field(default_factory=list)
    #: questions that the articles behind the answers answer too
    further: list[str] = field(default_factory=list)
    #: a paragraph that the closing question goes on from
    remark: str = ""

    @property
    def language(self) -> Language:
        return self.context.language

    @cached_property
    def evidence(self) -> guard.Evidence:
        """What may be named; all tools have answered before a draft is begun."""
        return guard.Evidence.of(
            results=self.done.results.values(),
            heard=self.heard,
            waiting=self.context.waiting,
            documents=self.context.documents,
        )

    def say(self, phrase: str, **values: str) -> str:
        return say(phrase, self.language, said=self.talk.replies, **values)

    def add(self, text: str) -> bool:
        """Add a paragraph, if everything in it is proven."""
        text = text.strip()
        if not text or text in self.parts:
            return False
        if not self.evidence.inspect(text).passed:
            self.notes.append("a paragraph without proof was left out")
            return False
        self.parts.append(text)
        return True

    def ask(self, question: str) -> None:
        """The last question, in the paragraph of the remark that it goes on from."""
        goes_on = asked_about(question, self.catalogue) is not None
        if goes_on and self.parts and self.parts[-1] == self.remark:
            self.parts[-1] = f"{self.remark} {question}"
        else:
            self.add(question)

    def name(self, product: Product) -> str:
        return product.name.in_language(self.language)

    def products(self, codes: Iterable[str]) -> list[Product]:
        """Those of these codes that are on sale still."""
        return [product for code in codes if (product := self.catalogue.product(code)) is not None]

    def product_names(self) -> list[str]:
        return [self.name(product) for product in self.catalogue.products]

    def has_said(self, phrase: str) -> bool:
        """Whether an earlier reply had these words, in any of the ways to say them."""
        ways = ways_of(phrase, self.language)
        return any(way in reply for reply in self.talk.replies for way in ways)

    def has_begun(self, phrase: str) -> bool:
        """The same for a phrase with values: whether an earlier reply has its fixed beginning."""
        starts = [way.partition("{")[0] for way in ways_of(phrase, self.language)]
        return any(start and start in reply for reply in self.talk.replies for start in starts)

    def failed(self, call: str) -> str:
        """The tool's own words when they are for a customer of this language."""
        result = self.done.get(call)
        if result is None or not result.failed:
            return ""
        russian = bool(re.search("[а-яё]", result.text, re.IGNORECASE))
        return result.text if russian == (self.language == "ru") else ""
