"""Search beside its bare SQL in the same run, and the index: whole, and for one changed entry.

``python -m benchmarks search growth`` prints what is measured here. The entries are made up of
real Russian word forms, as frequent as words are (the n-th by 1/n), each about a topic of its own; the questions take
words of an entry, a third of them misspelt. Beside ours, in turns with it: the statements that the search itself sent,
by psycopg alone; and the plain way, one sum over a table that has a row for each posting, with the same marks. Of the
repeats of one question the best counts, of the questions p50 and p95.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: what PERFORMANCE.md gives for 5,000 entries, in seconds
INDEX_GOAL = 8.0
REPEATS = 3


def made_up(entries: int, *, seed: int = 7) -> list[dict[str, Any]]:
    """Entries of some 90 words: a title, a text, and for every third of them two questions."""
    import pymorphy3

    chance = random.Random(seed)
    # from all over the alphabet: words that begin alike are looked through together when one is misspelt
    known = pymorphy3.MorphAnalyzer().dictionary.iter_known_words("")
    words = [each[0] for each in itertools.islice(known, 0, 3_000_000, 60) if "-" not in each[0]]
    chance.shuffle(words)
    words = words[:20_000]
    frequency = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(words))))
    made = []
    for number in range(entries):
        topic = chance.sample(words, 12)
        common = chance.choices(words, cum_weights=frequency, k=60)
        body = common + chance.choices(topic, k=30)
        chance.shuffle(body)
        sentences = [" ".join(body[at : at + 9]).capitalize() + "." for at in range(0, len(body), 9)]
        entry: dict[str, Any] = {
            "id": f"e{number}",
            "title": " ".join(topic[:3] + common[:2]).capitalize(),
            "text": " ".join(sentences),
        }
        if number % 3 == 0:
            entry["questions"] = [f"Как {' '.join(chance.sample(topic, 3))}?", f"Где {' '.join(common[2:5])}?"]
        made.append(entry)
    return made


def asked(entries: list[dict[str, Any]], count: int, *, seed: int = 11) -> list[str]:
    """Questions of five to nine words, a third of the words with a letter dropped."""
    chance = random.Random(seed)
    questions = []
    for entry in chance.sample(entries, count):
        words = chance.sample((entry["title"] + " " + entry["text"]).replace(".", "").lower().split(), 7)
        for place, word in enumerate(words):
            if len(word) > 4 and chance.random() < 1 / 3:
                cut = chance.randrange(1, len(word) - 1)
                words[place] = word[:cut] + word[cut + 1 :]
        questions.append("здравствуйте подскажите как " + " ".join(words[: chance.randint(4, 7)]))
    return questions


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def knowledge_base() -> Iterator[Path]:
    """Servers with an empty knowledge base, and a folder; the dictionaries are read, once in the life of a process."""
    from benchmarks.websocket import servers

    with servers(), tempfile.TemporaryDirectory() as folder:
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        from common import locks
        from common.russian import analyzer

        call_command("migrate", verbosity=0, stdout=sys.stderr)
        analyzer()
        try:
            yield Path(folder)
        finally:
            locks.close()
            connections.close_all()


INDEX_TABLES = ["knowledge_postinglist", "knowledge_mark"]
#: a row for each posting, with what BM25 makes of it, as the stored lists say
PLAIN_TABLE = """
CREATE TEMPORARY TABLE plain_posting AS
SELECT mark, range * 16384 + ((get_byte(postings, at + 3) << 6) | (get_byte(postings, at + 2) >> 2)) AS passage,
       (1 + get_byte(postings, at) % 7)::real AS factor
FROM knowledge_postinglist, generate_series(0, length(postings) - 4, 4) AS at;
ALTER TABLE plain_posting ADD PRIMARY KEY (mark, passage) INCLUDE (factor)
"""
PLAIN_SUM = """
SELECT passage, sum(weight * factor) AS score
FROM unnest(%s::int[], %s::real[]) AS asked(mark, weight) JOIN plain_posting USING (mark)
GROUP BY passage ORDER BY score DESC LIMIT 400
"""


def plain_index(entries: list[dict[str, Any]]) -> None:
    """What indexing costs at least: texts copied in, the same words counted, a row for each posting, a key on them.

    No history, no checks, no promise of an index, nothing kept to change it by. All in temporary tables.
    """
    import psycopg
    from django.db import connection

    from knowledge.enums import Kind
    from knowledge.search.parts import PARTS_OF, marks_of
    from knowledge.words import split, word

    params = connection.get_connection_params()
    wanted = {key: params[key] for key in ("host", "port", "dbname", "user", "password") if params.get(key)}
    with psycopg.connect(**wanted) as bare, bare.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE plain_entry (id int PRIMARY KEY, name text UNIQUE, title text, text text)"
        )
        with cursor.copy("COPY plain_entry FROM STDIN") as copy:
            for number, each in enumerate(entries):
                copy.write_row((number, each["id"], each["title"], each["text"]))
        cursor.execute("CREATE TEMPORARY TABLE plain_made (mark int, passage int, times int)")
        passage = 0
        with cursor.copy("COPY plain_made FROM STDIN") as copy:
            for each in entries:
                texts = [(Kind.BODY, f"{each['title']}\n{each['text']}")]
                texts += [(Kind.QUESTION, text) for text in (each["title"], *each.get("questions", ()))]
                for kind, text in texts:
                    marks: Counter[int] = Counter()
                    for form, times in Counter(split(text)).items():
                        for part in PARTS_OF[kind]:
                            for mark in marks_of(word(form), part):
                                marks[mark] += times
                    passage += 1
                    for mark, times in marks.items():
                        copy.write_row((mark, passage, times))
        cursor.execute("ALTER TABLE plain_made ADD PRIMARY KEY (mark, passage) INCLUDE (times)")


def searching(questions: list[str], *, plainly: bool = True) -> dict[str, list[float]]:
    """Seconds for each question: ours, the statements it sent, reading the question, and the plain sum if wanted."""
    import psycopg
    from django.db import connection

    from knowledge.search import query, search, sparse

    params = connection.get_connection_params()
    wanted = {key: params[key] for key in ("host", "port", "dbname", "user", "password") if params.get(key)}
    times: dict[str, list[float]] = {name: [] for name in ("ours", "bare", "read", *(["plain"] if plainly else []))}
    with psycopg.connect(**wanted, autocommit=True, cursor_factory=psycopg.ClientCursor) as bare:
        if plainly:
            for statement in PLAIN_TABLE.split(";"):
                bare.execute(statement)
            bare.execute("VACUUM ANALYZE plain_posting")
        for text in questions:
            sent: list[tuple[str, Any]] = []

            def note(execute: Any, sql: str, values: Any, many: bool, context: Any, sent: Any = sent) -> Any:
                sent.append((sql, values))
                return execute(sql, values, many, context)

            terms = query.read(text).terms
            marks, weights = [each.mark for each in terms], [each.weight for each in terms]
            with connection.execute_wrapper(note):
                search(text, limit=10)

            def ours(text: str = text) -> None:
                search(text, limit=10)

            def statements(sent: Any = sent, marks: Any = marks) -> None:
                for sql, values in sent:
                    bare.execute(sql, values).fetchall()
                psycopg.Cursor(bare).execute(sparse.LISTS, [marks], binary=True).fetchall()

            def plain(marks: Any = marks, weights: Any = weights) -> None:
                bare.execute(PLAIN_SUM, [marks, weights]).fetchall()

            def reading(text: str = text) -> None:
                query.read(text)

            works: dict[str, Callable[[], None]] = {"ours": ours, "bare": statements, "read": reading}
            if plainly:
                works["plain"] = plain
            best = dict.fromkeys(works, float("inf"))
            for _ in range(REPEATS):
                for name, work in works.items():
                    best[name] = min(best[name], timed(work))
            for name, seconds in best.items():
                times[name].append(seconds)
    return times


def one_changed(times: int) -> float:
    """Median seconds until an entry that got another word is indexed again."""
    from knowledge import indexing
    from knowledge.models import Article, Indexing
    from knowledge.operations import Draft, save_article

    found = []
    for article in Article.objects.order_by("?")[:times]:
        questions = tuple(article.questions.values_list("text", flat=True))
        draft = Draft(title=article.title, body=f"{article.body} Изменено.", questions=questions)
        save_article(draft=draft, by=None, article=article)
        owed = Indexing.objects.get(article=article, state="due")
        found.append(timed(lambda owed=owed: indexing.keep(owed.pk)))  # type: ignore[misc]
        owed.refresh_from_db()
        assert owed.state == "kept", owed.problem
    return statistics.median(found)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def megabytes_of_process() -> float:
    """What this process has in memory, as Linux tells it."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def measure(folder: Path, *, entries: int, questions: int, plainly: bool = True) -> dict[str, float]:
    """One round with a fresh knowledge base."""
    from django.db import connection

    from knowledge.importing import import_articles
    from knowledge.models import Article, Passage, PostingList
    from knowledge.words import word

    made = made_up(entries)
    path = folder / "entries.jsonl"
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in made))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE knowledge_postinglist, knowledge_mark, knowledge_yardstick, knowledge_article CASCADE")
    word.cache_clear()
    whole = timed(lambda: import_articles(path))
    word.cache_clear()  # whoever comes second knows no word already
    plain_whole = timed(lambda: plain_index(made)) if plainly else float("nan")
    assert Article.objects.count() == entries
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_total_relation_size(t)) FROM unnest(%s::regclass[]) AS t", [INDEX_TABLES])
        on_disk = float(cursor.fetchone()[0]) / 1024 / 1024
    before = megabytes_of_process()
    found = searching(asked(made, questions), plainly=plainly)
    taken = megabytes_of_process() - before
    one = one_changed(20)
    return {
        "whole": whole,
        "plain whole": plain_whole,
        "one": one,
        "on disk": on_disk,
        "in memory": taken,
        "passages": float(Passage.objects.count()),
        "postings": sum(len(each) for each in PostingList.objects.values_list("postings", flat=True).iterator()) / 4,
        **{f"{name} p50": percentile(each, 0.5) for name, each in found.items()},
        **{f"{name} p95": percentile(each, 0.95) for name, each in found.items()},
    }
