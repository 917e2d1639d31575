"""What a run tries instead of what is in force: other models, another prompt, drafts of articles and of prices.

All of it holds for one conversation in its rehearsal, or for this thread: nobody else ever speaks with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge import operations
from knowledge.enums import Status
from knowledge.llm import profiles, router
from knowledge.llm.chat import Profile
from knowledge.llm.prompting import templates
from knowledge.models import Article
from knowledge.search import index
from pricing import catalogue_file

#: the model that needs no key, as the end of every chain is called
KEYLESS = "keyless"


class BadVariant(Exception):
    """It can't be tried; the message says what is wrong with it."""


@dataclass(frozen=True)
class Variant:
    """Nothing given is nothing changed. No profiles at all are the model without a key."""

    chain: tuple[Profile, ...] | None = None
    prompt: str = ""
    #: keys of the articles that count as published
    drafts: tuple[int, ...] = ()
    catalogue: Path | None = None

    @property
    def touches_rows(self) -> bool:
        """Whether its conversations change rows that others write too, so that they have to be held one by one."""
        return bool(self.drafts or self.catalogue)

    @property
    def told(self) -> dict[str, Any]:
        """For the report: what was tried."""
        names = Article.objects.filter(pk__in=self.drafts).order_by("external_id").values_list("external_id", flat=True)
        chain = None if self.chain is None else [*(each.slug for each in self.chain), KEYLESS]
        return {
            "chain": chain,
            "prompt": self.prompt or templates.VERSION,
            "drafts": list(names),
            "catalogue": self.catalogue.name if self.catalogue else None,
        }

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Inside, this thread's turns are taken by the variant's models with its prompt."""
        with router.using(profiles=self.chain, prompt_version=self.prompt):
            yield

    def lay_out(self) -> None:
        """Put its prices and articles in the place of those in force; called inside a rehearsal."""
        if self.catalogue:
            catalogue_file.load(self.catalogue)
        if self.drafts:
            index.lock()  # before any row, as whoever writes the index does
            operations.set_status(articles=Article.objects.filter(pk__in=self.drafts), status=Status.PUBLISHED, by=None)
            index.write(self.drafts)


AS_IT_IS = Variant()


def variant(*, chain: str = "", prompt: str = "", drafts: bool = False, catalogue: Path | None = None) -> Variant:
    """What a command's options ask for. Raises ``BadVariant``."""
    if prompt and prompt not in templates.versions():
        raise BadVariant(f"There is no version {prompt!r} of the prompts; there are {', '.join(templates.versions())}.")
    if catalogue:
        try:
            catalogue_file.read(catalogue)
        except catalogue_file.BadCatalogue as problem:
            raise BadVariant(str(problem)) from None
    found = tuple(Article.objects.filter(status=Status.DRAFT).order_by("pk").values_list("pk", flat=True))
    if drafts and not found:
        raise BadVariant("There are no drafts of articles.")
    return Variant(_chain(chain), prompt, found if drafts else (), catalogue)


def _chain(slugs: str) -> tuple[Profile, ...] | None:
    names = [each.strip() for each in slugs.split(",") if each.strip()]
    if not names:
        return None
    found: list[Profile] = []
    for name in names:
        if name == KEYLESS:
            break  # nobody comes after it
        profile = profiles.by_slug(name)
        if profile is None:
            raise BadVariant(f"There is no model {name!r} that could be asked; there are {_listed(profiles.usable())}.")
        found.append(profile)
    return tuple(found)


def _listed(usable: Sequence[Profile]) -> str:
    return ", ".join([*(each.slug for each in usable), KEYLESS])
