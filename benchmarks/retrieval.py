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

SET = Path(__file__).resolve().parent / "data" / "retrieval"
KINDS = ("near", "noisy", "far")


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SET / name).read_text().splitlines()]


def kept(shares: Sequence[tuple[float, bool]]) -> float:
    """Of the answerable, those surer than all but one in twenty of the foreign. Pairs of share and answerable."""
    foreign = sorted((share for share, answerable in shares if not answerable), reverse=True)
    bound = foreign[len(foreign) // 20]
    return mean(share > bound for share, answerable in shares if answerable)


def measure() -> str:
    """The set is imported and all vectors are made; the table."""
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
        "plain BM25 over dictionary forms": lambda text: (plain.search(text), 0.0),
        "words": lambda text: of(Sparse().search(text, limit=10)),
        "meaning": by_meaning,
        "both": lambda text: of(search(text, limit=10)),
    }
    table = [
        "| way | near | noisy | far | all | every other, unseen by the tuning | kept |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, way in ways.items():
        results = [(query, *way(query["text"])) for query in queries]
        answerable = [
            (query["kind"], ndcg(found, query["relevant"])) for query, found, _share in results if query["relevant"]
        ]
        figures = [mean(score for kind, score in answerable if kind == each) for each in KINDS]
        figures += [mean(score for _kind, score in answerable), mean(score for _kind, score in answerable[1::2])]
        sure = kept([(share, bool(query["relevant"])) for query, _found, share in results])
        cells = [f"{figure:.3f}" for figure in figures] + [f"{sure:.2f}" if name[:5] != "plain" else "–"]
        table.append(f"| {name} | {' | '.join(cells)} |")
    counts = ", ".join(f"{sum(query['kind'] == each for query in queries)} {each}" for each in (*KINDS, "foreign"))
    return "\n".join([f"{len(articles)} articles; questions: {counts}; vectors by {embedder}", "", *table])


def main() -> None:
    from benchmarks.websocket import servers

    with servers(), ExitStack() as stack:
        if not os.environ.get("OPENAI_API_KEY"):
            from tests.standins.openai_embeddings import OpenAIStandIn

            vendor = stack.enter_context(OpenAIStandIn())
            os.environ.update(OPENAI_API_KEY="sk-stand-in-12345", OPENAI_BASE_URL=vendor.url)
            print("(vectors by the stand-in)", file=sys.stderr)
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        from common import locks

        call_command("migrate", verbosity=0)
        call_command("import_articles", str(SET / "articles.jsonl"), stdout=sys.stderr)
        print(measure())
        locks.close()
        connections.close_all()


if __name__ == "__main__":
    main()
