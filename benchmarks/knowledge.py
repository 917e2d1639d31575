"""The rows of ``benchmarks.search``: its rounds repeated, medians, each with what it may cost."""

from __future__ import annotations

import statistics

from benchmarks.rows import Row


def run(*, quick: bool) -> list[Row]:
    """Start the servers and measure with made-up entries; ``quick`` takes a fifth of them, once."""
    from benchmarks import search

    entries, questions, rounds = (1000, 40, 1) if quick else (5000, 100, 2)
    with search.knowledge_base() as place:
        small = search.measure(place, entries=entries // 10, questions=questions // 2)
        runs = [search.measure(place, entries=entries, questions=questions) for _ in range(rounds)]
    large = {name: statistics.median(each[name] for each in runs) for name in runs[0]}
    return rows_of(small, large, entries=entries)


def rows_of(small: dict[str, float], large: dict[str, float], *, entries: int) -> list[Row]:
    """``small`` and ``large`` are what ``search.measure`` found with a tenth of the entries and with all."""
    from benchmarks.search import INDEX_GOAL

    return [
        Row(
            what=f"search among {entries} entries, p95",
            ours=large["ours p95"] * 1000,
            bare=large["plain p95"] * 1000,
            unit="ms",
            floor=2,
            aim=1.3,
            most=25,
            meaning="Questions of five to nine words, a third of them misspelt, from text to articles. Beside it the"
            " bare way to search by words in PostgreSQL: one sum over a table with a row for each posting, for the same"
            " marks, by psycopg alone; it reads no question, mends no spelling and fetches no article.",
        ),
        Row(
            what=f"search among {entries} entries, p95, beside its own statements",
            ours=large["ours p95"] * 1000,
            bare=large["bare p95"] * 1000,
            unit="ms",
            floor=3,
            aim=2,
            meaning="The same. Beside it the very statements that the search sent, by psycopg alone: what is more is"
            " reading the question, adding up the lists, and Django.",
        ),
        Row(
            what=f"search among {entries} entries, p50",
            ours=large["ours p50"] * 1000,
            bare=large["plain p50"] * 1000,
            unit="ms",
            meaning="As the first row, for the middle question.",
        ),
        Row(
            what=f"search among {entries} entries, p95, beside a tenth of them",
            ours=large["ours p95"] * 1000,
            bare=small["ours p95"] * 1000,
            unit="ms",
            floor=5,
            aim=3,
            meaning="Our own search in a knowledge base a tenth as large: ten times the entries may not cost ten times"
            " the time.",
        ),
        Row(
            what=f"import and index of {entries} entries",
            ours=large["whole"],
            bare=large["plain whole"],
            unit="s",
            floor=2,
            aim=1.3,
            meaning="From the file to the last posting. Beside it the bare way: the texts copied into a table, the same"
            " words counted, a row for each posting, a primary key; no history, no check, nothing to change it by.",
        ),
        Row(
            what=f"import and index of {entries} entries, beside a fixed figure",
            ours=large["whole"],
            bare=INDEX_GOAL * entries / 5000,
            unit="s",
            floor=2,
            aim=1.3,
            meaning="The same. Beside it no measure but what another, quicker machine once took (8 s for 5,000"
            " entries), so this ratio moves with the machine.",
        ),
        Row(
            what="index of one changed entry, beside a full rebuild",
            ours=large["one"] * 1000,
            bare=large["whole"] * 1000,
            unit="ms",
            floor=0.01,
            # a tenth of a percent would be below what one commit costs: no aim of its own
            meaning=f"An entry of {entries} got another word; until its index is right again. Beside it the import and"
            " index of all.",
        ),
    ]
