"""What must hold of the index at any moment, read from the tables themselves."""

from __future__ import annotations

from typing import Any

from django.db import connection


def faults() -> list[str]:
    """What is wrong with the index: postings, counts and sums that don't follow from the passages' vectors."""
    return [name for name, sql in _MUST_BE_EMPTY.items() if rows(sql)]


def rows(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


_VECTORS = "SELECT v.mark, p.id, v.factor FROM knowledge_passage p, unnest(p.marks, p.factors) AS v(mark, factor)"
_MUST_BE_EMPTY = {
    "a posting is missing": f"{_VECTORS} EXCEPT SELECT mark, passage, factor FROM knowledge_posting LIMIT 1",
    "a posting is left over": f"SELECT mark, passage, factor FROM knowledge_posting EXCEPT {_VECTORS} LIMIT 1",
    "a count is wrong": (
        "SELECT mark, count(*) FROM knowledge_posting GROUP BY mark"
        " EXCEPT SELECT mark, passages FROM knowledge_mark LIMIT 1"
    ),
    "a count is left over": (
        "SELECT mark FROM knowledge_mark WHERE passages > 0 EXCEPT SELECT mark FROM knowledge_posting LIMIT 1"
    ),
    "a sum is wrong": (
        "SELECT count(*) FILTER (WHERE kind = 'body'), coalesce(sum(words) FILTER (WHERE kind = 'body'), 0),"
        " coalesce(sum(runs) FILTER (WHERE kind = 'body'), 0), count(*) FILTER (WHERE kind = 'question'),"
        " coalesce(sum(words) FILTER (WHERE kind = 'question'), 0),"
        " coalesce(sum(runs) FILTER (WHERE kind = 'question'), 0) FROM knowledge_passage"
        " EXCEPT SELECT bodies, words_in_bodies, runs_in_bodies, questions, words_in_questions, runs_in_questions"
        " FROM knowledge_yardstick"
    ),
}
