"""Search and index as the knowledge base grows: the rows of ``benchmarks.search`` at other sizes."""

from __future__ import annotations

from benchmarks.rows import Row

#: entries for about 1,000, 20,000 and 100,000 passages
SIZES = (375, 7_500, 37_500)


def run(*, quick: bool) -> list[Row]:
    """Start the servers and measure each size once; ``quick`` leaves out the largest."""
    from benchmarks import search

    with search.knowledge_base() as place:
        # a table with a row for each posting would take half an hour to make at the end of this
        found = [
            search.measure(place, entries=size, questions=60, plainly=False)
            for size in (SIZES[:-1] if quick else SIZES)
        ]
    return [row for each in found for row in growth(each)]


def growth(found: dict[str, float]) -> list[Row]:
    """What one more size says."""
    passages = f"{round(found['passages'], -2):,.0f} passages"
    return [
        Row(
            what=f"search among {passages}, p95",
            ours=found["ours p95"] * 1000,
            bare=found["bare p95"] * 1000,
            unit="ms",
            floor=3,
            aim=2,
            meaning="As above, beside the statements that it sends.",
        ),
        Row(
            what=f"one changed entry of {passages}, beside a full rebuild",
            ours=found["one"] * 1000,
            bare=found["whole"] * 1000,
            unit="ms",
            floor=0.01,
            meaning="As above.",
        ),
        Row(
            what=f"index of {passages}: disk, and memory that a process takes to search",
            ours=found["in memory"],
            bare=found["on disk"],
            unit="MB",
            meaning="No rivals: the size of the index in PostgreSQL, and beside it what a process grows by while it"
            " answers all questions once.",
        ),
    ]
