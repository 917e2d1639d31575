"""Words and phrases that mean the same, as staff have put them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.words import PHRASE_MOST, Word, phrases, split, word

Phrase = tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups as of one edition: by the stems of a phrase, the phrases that mean the same."""

    edition: int = 0
    by_stems: Mapping[tuple[str, ...], Sequence[Phrase]] = field(default_factory=dict)

    def of(self, said: Sequence[Word]) -> dict[str, list[Word]]:
        """The words that mean the same as words of a question, by the first word of what was said."""
        found: dict[str, list[Word]] = {}
        stems = [each.stem for each in said]
        for start in range(len(said)) if self.by_stems else ():
            for length in range(1, min(PHRASE_MOST, len(said) - start) + 1):
                for phrase in self.by_stems.get(tuple(stems[start : start + length]), ()):
                    found.setdefault(said[start].text, []).extend(phrase)
        return found


def grouped(texts: Iterable[str], *, edition: int = 0) -> Groups:
    """Make ready what staff have written, a group each."""
    by_stems: dict[tuple[str, ...], list[Phrase]] = {}
    for text in texts:
        mine: dict[tuple[str, ...], Phrase] = {}
        for each in phrases(text):
            words = tuple(word(form) for form in split(each))
            mine.setdefault(tuple(one.stem for one in words), words)
        for stems in mine:
            by_stems.setdefault(stems, []).extend(other for key, other in mine.items() if key != stems)
    return Groups(edition, by_stems)


_known = Groups()


def known() -> Groups:
    """The groups as this process has read them; ``query.read`` sees whether there is a newer edition."""
    return _known


def load(edition: int) -> None:
    """Read the groups anew."""
    global _known
    from knowledge.models import Synonyms  # the models know the phrases

    _known = grouped(Synonyms.objects.filter(is_active=True).values_list("words", flat=True), edition=edition)
