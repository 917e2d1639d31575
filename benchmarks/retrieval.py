"""How well search finds: nDCG@10 of both halves and of both together, on the labelled set of this repository.

``python -m benchmarks.retrieval`` prints a table in Markdown. Without ``OPENAI_API_KEY`` the vectors are made by the
stand-in of the tests, which knows some hundred synonyms by heart: then the table shows how the halves add up, not how
good a model is. With a key (and ``OPENAI_BASE_URL``) the real one is asked, at the price of some 500 short texts.
Beside them stands plain BM25 over dictionary forms. ``kept`` is the share of answerable questions whose share of the
possible score is above that of all but 5 % of the foreign ones.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.rows import Row

SET = Path(__file__).resolve().parent / "data" / "retrieval"
KINDS = ("near", "noisy", "far")
PLAIN = "plain BM25 over dictionary forms"
MEANINGS = {
    "near": "Questions in words of the article, beside plain BM25 over dictionary forms of the same entries.",
    "noisy": "The same as customers type in haste: slips, slang, transliteration; beside the same BM25.",
    "far": "Questions in other words than the article's, where only synonyms can help; beside the same BM25.",
}


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SET / name).read_text().splitlines()]


def kept(shares: Sequence[tuple[float, bool]]) -> float:
    """Of the answerable, those surer than all but one in twenty of the foreign. Pairs of share and answerable."""
    foreign = sorted((share for share, answerable in shares if not answerable), reverse=True)
    bound = foreign[len(foreign) // 20]
    return mean(share > bound for share, answerable in shares if answerable)


def measure() -> tuple[str, dict[str, list[float]]]:
    """When the set is imported and all vectors are made: what was measured, and the figures of each way.

    They are nDCG@10 of each kind, of all and of those unseen by the tuning, and the share that is ``kept``.
    """
    from knowledge.models import Passage
    from knowledge.search import dense, search
    from knowledge.search.sparse import Sparse
    from tests.knowledge.baseline import PlainBm25, ndcg

    articles, queries = lines("articles.jsonl"), lines("queries.jsonl")
    plain = PlainBm25(
        {each["id"]: "\n".join([each["title"], *each.get("questions", ()), each["text"]]) for each in articles}
    )
    names = dict(Passage.objects.values_list("article_id", "article__external_id"))
    embedder = dense.serving()

    def by_meaning(text: str) -> tuple[list[str], float]:
        vector = dense.question_vector(text, embedder) if embedder else None
        found = dense.near(vector, embedder) if vector and embedder else []
        found.sort(key=lambda each: -each.likeness)
        return [names[each.article] for each in found[:10]], found[0].likeness if found else 0.0

    def of(hits: Sequence[Any]) -> tuple[list[str], float]:
        return [hit.article.external_id for hit in hits], hits[0].share if hits else 0.0

    ways = {
        PLAIN: lambda text: (plain.search(text), 0.0),
        "words": lambda text: of(Sparse().search(text, limit=10)),
        "meaning": by_meaning,
        "both": lambda text: of(search(text, limit=10)),
    }
    figures: dict[str, list[float]] = {}
    for name, way in ways.items():
        results = [(query, *way(query["text"])) for query in queries]
        answerable = [
            (query["kind"], ndcg(found, query["relevant"])) for query, found, _share in results if query["relevant"]
        ]
        figures[name] = [mean(score for kind, score in answerable if kind == each) for each in KINDS]
        figures[name] += [mean(score for _kind, score in answerable), mean(score for _kind, score in answerable[1::2])]
        figures[name].append(kept([(share, bool(query["relevant"])) for query, _found, share in results]))
    counts = ", ".join(f"{sum(query['kind'] == each for query in queries)} {each}" for each in (*KINDS, "foreign"))
    return f"{len(articles)} articles; questions: {counts}; vectors by {embedder}", figures


def table(figures: dict[str, list[float]]) -> str:
    rows = [
        "| way | near | noisy | far | all | every other, unseen by the tuning | kept |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, values in figures.items():
        cells = [f"{value:.3f}" for value in values[:-1]] + [f"{values[-1]:.2f}" if name != PLAIN else "–"]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def run(*, quick: bool) -> list[Row]:
    """The rows for the page of all benchmarks; ``quick`` changes nothing, it is quick."""
    _counts, figures = measured()
    rows = []
    for place, (kind, floor, aim) in enumerate((("near", 1.0, 1.02), ("noisy", 1.1, 1.15), ("far", 1.0, 1.2))):
        rows.append(
            Row(
                what=f"found by words, questions of the kind {kind}: nDCG@10",
                ours=100 * figures["words"][place],
                bare=100 * figures[PLAIN][place],
                unit="%",
                floor=floor,
                aim=aim,
                more_is_better=True,
                meaning=MEANINGS[kind],
            )
        )
    rows.append(
        Row(
            what="found by words and meaning together, all questions: nDCG@10",
            ours=100 * figures["both"][3],
            bare=100 * max(figures["words"][3], figures["meaning"][3]),
            unit="%",
            floor=1.0,
            more_is_better=True,
            meaning="Beside the better of the two halves alone. Without a key the vectors are a stand-in's that knows"
            " some hundred synonyms: this shows that the halves add up, not how good a model is.",
        )
    )
    rows.append(
        Row(
            what="answerable questions that are surer than 95 % of the foreign ones",
            ours=100 * figures["words"][-1],
            bare=None,
            unit="%",
            meaning="By words; near, noisy and far ones together, and the far ones are nearly half of them.",
        )
    )
    return rows


def measured() -> tuple[str, dict[str, list[float]]]:
    """Start servers, import the set with its vectors, measure."""
    from benchmarks.search import knowledge_base

    with ExitStack() as stack:
        if not os.environ.get("OPENAI_API_KEY"):
            from tests.standins.openai_embeddings import OpenAIStandIn

            vendor = stack.enter_context(OpenAIStandIn())
            os.environ.update(OPENAI_API_KEY="sk-stand-in-12345", OPENAI_BASE_URL=vendor.url)
            print("(vectors by the stand-in)", file=sys.stderr)
        stack.enter_context(knowledge_base())
        from django.conf import settings
        from django.core.management import call_command

        synonyms = Path(settings.BASE_DIR) / "knowledge" / "data" / "synonyms.txt"
        call_command("load_synonyms", str(synonyms), stdout=sys.stderr)
        call_command("import_articles", str(SET / "articles.jsonl"), stdout=sys.stderr)
        return measure()


def main() -> None:
    counts, figures = measured()
    print(f"{counts}\n\n{table(figures)}")


if __name__ == "__main__":
    main()
