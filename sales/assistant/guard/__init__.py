"""The guard before every reply: code, no second model, and closed where it fails.

A draft is judged sentence by sentence: amounts (``figures``), what they are said of (each app's ``claims.py``),
addresses (``links``), promises and terms (``promises``, ``terms``), what is nobody's business (``leaks``). What proves
is read once into an ``Evidence``: results of tools with the passages among them, and what staff and the assistant have
said. The customer's own words prove no money.

An app may offer a ``claims.py``. With ``read(results) -> Any`` and ``check(sentence, known, before)``, which gives
findings, it says what it knows of whose an amount is; ``before`` is what was said in the draft before that sentence.
With ``secrets() -> Iterable[str]`` it names texts of which no eight words in a row may be said.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from common.parts import of_apps
from sales.assistant.guard import figures, leaks, links, promises, terms
from sales.assistant.guard.evidence import Known
from sales.assistant.guard.sentences import cut, split
from sales.assistant.guard.verdict import BROKEN, EMPTY, Finding, Kind, Verdict
from sales.assistant.protocol import Heard, ToolResult
from sales.assistant.tools import TOOLS

__all__ = ["Evidence", "Finding", "Kind", "Stream", "Verdict", "cut", "inspect", "split"]

logger = logging.getLogger(__name__)

#: no reply is that long; what is longer isn't read but refused
DRAFT_MOST = 20_000


class Evidence:
    """What may be said, read once; a draft may then be checked whole or piece by piece."""

    def __init__(self, known: Known) -> None:
        self._known = known

    @classmethod
    def of(
        cls,
        *,
        results: Iterable[ToolResult],
        heard: Iterable[str | Heard],
        waiting: bool = False,
        documents: Iterable[str] = (),
        sources: Sequence[str] | None = None,
        secrets: Iterable[str] | None = None,
    ) -> Evidence:
        """``heard`` are messages; one without its author counts as the customer's. ``waiting``: a person was called.

        ``documents`` are kinds made earlier; with ``sources`` only the passages of these articles prove; ``secrets``
        are texts of which no eight words in a row may be said, those of the apps unless others are given.
        """
        secrets = _secrets() if secrets is None else secrets
        return cls(
            Known(results=results, heard=heard, waiting=waiting, documents=documents, sources=sources, secrets=secrets)
        )

    def inspect(self, draft: str) -> Verdict:
        """Check all of a draft."""
        if len(draft) > DRAFT_MOST:
            return BROKEN
        if not any(unicodedata.category(each)[0] in "LNPS" for each in draft):
            return EMPTY
        stream = Stream(self)
        found = [finding for sentence in split(draft) for finding in stream.judge(sentence).findings]
        try:
            found += leaks.check(draft, self._known)  # what stands across the ends of sentences
            found += links.check(draft, self._known)
        except Exception:
            logger.exception("the guard has failed")
            return BROKEN
        return Verdict.of(found)

    @cached_property
    def _claims(self) -> list[tuple[Any, Any]]:
        modules = [module for _app, module in of_apps("claims") if hasattr(module, "check")]
        return [(module, module.read(self._known.results)) for module in modules]

    def _findings(self, sentence: str, before: Sequence[str]) -> Iterable[Finding]:
        known = self._known
        last = before[-1] if before else ""
        yield from figures.check(sentence, known)
        for module, read in self._claims:
            yield from module.check(sentence, read, before)
        yield from links.check(sentence, known)
        yield from promises.check(sentence, known, before=last)
        yield from terms.check(sentence, known)
        yield from leaks.check(sentence, known)


def _secrets() -> tuple[str, ...]:
    """What the tools say to a model, and what the apps keep to themselves."""
    told = [each.description for each in TOOLS.values()]
    return (
        *told,
        *(text for _app, module in of_apps("claims") if hasattr(module, "secrets") for text in module.secrets()),
    )


class Stream:
    """A draft judged while it is said: give it whole sentences in their order."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._before: list[str] = []

    def judge(self, sentence: str) -> Verdict:
        """Whether this sentence may follow what came before. Fails closed: what can't be judged may not."""
        try:
            verdict = Verdict.of(self._evidence._findings(sentence, self._before))
        except Exception:
            # whatever is wrong with it, a reply that was not checked must not leave
            logger.exception("the guard has failed")
            verdict = BROKEN
        self._before.append(sentence)
        return verdict


def inspect(
    draft: str,
    *,
    results: Iterable[ToolResult],
    heard: Iterable[str | Heard],
    waiting: bool = False,
    documents: Iterable[str] = (),
    sources: Sequence[str] | None = None,
    secrets: Iterable[str] | None = None,
) -> Verdict:
    """Check one draft; the arguments are those of ``Evidence.of``."""
    try:
        evidence = Evidence.of(
            results=results, heard=heard, waiting=waiting, documents=documents, sources=sources, secrets=secrets
        )
        return evidence.inspect(draft)
    except Exception:
        logger.exception("the guard has failed")
        return BROKEN
