"""What must hold of the index at any moment, read from the tables themselves."""

from __future__ import annotations

from typing import Any

from django.db import connection


def faults() -> list[str]:
    """What is wrong with the index: postings, counts and sums that don't follow from the passages' marks."""
    return [name for name, sql in _MUST_BE_EMPTY.items() if rows(sql)]


def rows(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


#: by passage, what its marks say; and by passage, what the lists say
_SAID = (
    "SELECT get_byte(marks, at) | (get_byte(marks, at + 1) << 8) | (get_byte(marks, at + 2) << 16) |"
    " (get_byte(marks, at + 3) << 24) AS mark, id"
    " FROM knowledge_passage, generate_series(0, length(marks) - 4, 4) AS at"
)
_LISTED = (
    "SELECT mark, range * 16384 + ((get_byte(postings, at + 3) << 6) | (get_byte(postings, at + 2) >> 2)) AS id"
    " FROM knowledge_postinglist, generate_series(0, length(postings) - 4, 4) AS at"
)
_MUST_BE_EMPTY = {
    "a posting is missing": f"{_SAID} EXCEPT ALL {_LISTED} LIMIT 1",
    "a posting is left over": f"{_LISTED} EXCEPT ALL {_SAID} LIMIT 1",
    "a list is empty": "SELECT 1 FROM knowledge_postinglist WHERE postings = '' LIMIT 1",
    "a count is wrong": (
        "SELECT mark, passages FROM knowledge_mark EXCEPT"
        f" SELECT mark, count(*) FROM ({_LISTED}) AS each GROUP BY mark LIMIT 1"
    ),
    "a mark has no letters": "SELECT 1 FROM knowledge_mark WHERE stem = '' LIMIT 1",
    "a sum is wrong": (
        "SELECT count(*) FILTER (WHERE kind = 'body'), coalesce(sum(words) FILTER (WHERE kind = 'body'), 0),"
        " coalesce(sum(runs) FILTER (WHERE kind = 'body'), 0), count(*) FILTER (WHERE kind = 'question'),"
        " coalesce(sum(words) FILTER (WHERE kind = 'question'), 0),"
        " coalesce(sum(runs) FILTER (WHERE kind = 'question'), 0) FROM knowledge_passage"
        " EXCEPT SELECT bodies, words_in_bodies, runs_in_bodies, questions, words_in_questions, runs_in_questions"
        " FROM knowledge_yardstick"
    ),
}
