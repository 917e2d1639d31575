"""The nearest known word to one that the index doesn't know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection

from knowledge.words import LAYOUT, distance, stem_of

#: how customers write Russian words in Latin letters, and Latin names in Russian ones: single letters, then the rest
_TO_RUSSIAN = dict(zip("abcdefghijklmnopqrstuvwyz", "абкдефгхийклмнопкрстуввыз", strict=True)) | {
    "sch": "щ", "sh": "ш", "ch": "ч", "zh": "ж", "kh": "х", "ts": "ц", "yu": "ю", "ju": "ю", "ya": "я", "ja": "я",
    "yo": "е", "jo": "е", "ee": "и", "oo": "у", "ck": "к", "ph": "ф", "x": "кс",
}  # fmt: skip
_TO_LATIN = dict(zip("абвгдезийклмнопрстуфхцыэ", "abvgdeziyklmnoprstufhcye", strict=True)) | {
    "ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ь": "", "ю": "yu", "я": "ya",
}  # fmt: skip
_PIECES = re.compile("sch|sh|ch|zh|kh|ts|yu|ju|ya|ja|yo|jo|ee|oo|ck|ph|.")
#: shorter words have too many neighbours to guess, longer ones may hide two mistakes
SHORTEST, TWO_MISTAKES = 4, 7
#: neighbours looked at for one word
_CANDIDATES = 400


#: known stems that begin or end as the asked ones do; U+FFFF comes after every letter
_ALIKE = """
SELECT asked.stem, near.stem, near.passages
FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::int[]) AS asked(stem, head, tail, shortest, longest),
LATERAL (
    SELECT stem, passages FROM (
        SELECT stem, passages FROM knowledge_mark WHERE stem <> ''
            AND stem >= asked.head COLLATE "C" AND stem < (asked.head || U&'\\FFFF') COLLATE "C"
        UNION ALL
        SELECT stem, passages FROM knowledge_mark WHERE stem <> ''
            AND stem_reversed >= asked.tail COLLATE "C" AND stem_reversed < (asked.tail || U&'\\FFFF') COLLATE "C"
    ) AS alike
    WHERE passages > 0 AND length(stem) BETWEEN asked.shortest AND asked.longest
    ORDER BY passages DESC LIMIT %s
) AS near
"""


def nearest(stems: Sequence[str]) -> dict[str, str]:
    """For each stem the known one that differs least, the commoner of equals; what is like nothing known is left out.

    One mistake leaves one half of the word as it was, so only words that begin or end alike are looked at.
    """
    asked = {stem: _ways(stem) for stem in dict.fromkeys(stems) if len(stem) >= SHORTEST and stem.isalpha()}
    pairs = [
        (stem, way[: len(way) // 2], way[(len(way) + 1) // 2 :][::-1], len(way) - _most(way), len(way) + _most(way))
        for stem, ways in asked.items()
        for way in ways
    ]
    if not pairs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ALIKE, [*map(list, zip(*pairs, strict=True)), _CANDIDATES])
        rows = cursor.fetchall()
    best: dict[str, tuple[int, int, str]] = {}
    for stem, near, passages in rows:
        for way in asked[stem]:
            differs = distance(way, near, _most(way))
            rank = (differs, -passages, near)
            if differs <= _most(way) and (stem not in best or rank < best[stem]):
                best[stem] = rank
    return {stem: near for stem, (_distance, _passages, near) in best.items()}


def _ways(stem: str) -> Iterable[str]:
    """How a word may have been meant: as typed, with the keyboard in Russian, or in the other alphabet's letters."""
    heard = stem_of(_by_sound(stem, _TO_RUSSIAN)) if stem.isascii() else _by_sound(stem, _TO_LATIN)
    return dict.fromkeys((stem, stem.translate(LAYOUT), heard))


def _by_sound(text: str, table: Mapping[str, str]) -> str:
    """The word as it sounds, in the letters of the other alphabet; the longest combinations first."""
    return _PIECES.sub(lambda piece: table.get(piece[0], piece[0]), text)


def _most(stem: str) -> int:
    return 1 if len(stem) < TWO_MISTAKES else 2
