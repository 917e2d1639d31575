"""Every passage gets a vector: in an import at once, else in the background, whatever happens in between."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from common.promise import State
from knowledge import reconcile
from knowledge.embedding import keeping, protocol
from knowledge.embedding.protocol import WIDTH
from knowledge.models import Embedder, Embedding, Passage
from knowledge.search import search
from tests.knowledge.checks import faults
from tests.stack import ROOT, running, until
from tests.standins.fixtures import OTHER, choose
from tests.standins.openai_embeddings import ERRORS, SPOILT, OpenAIStandIn


def entries(count: int) -> list[dict[str, str]]:
    return [{"id": f"e{n}", "title": f"Запись {n}", "text": f"Слово{n} и что-нибудь про {n}."} for n in range(count)]


def put(folder: Path, rows: list[dict[str, str]]) -> str:
    """Import them as the command does; what it said on stderr."""
    path = folder / "entries.jsonl"
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in rows))
    said = io.StringIO()
    call_command("import_articles", str(path), stdout=io.StringIO(), stderr=said)
    return said.getvalue()


def serving() -> Embedder | None:
    return Embedder.objects.filter(serves=True).first()


def whole(embedder: Embedder) -> bool:
    """Exactly the passages' words have vectors."""
    made = set(Embedding.objects.filter(embedder=embedder).values_list("digest", flat=True))
    return made == set(Passage.objects.values_list("digest", flat=True))


def test_an_import_makes_the_vectors_in_portions_and_says_how_far_it_is(db, vendor, tmp_path):
    said = put(tmp_path, entries(100))

    assert serving().name == "openai/text-embedding-3-small/1536"
    assert whole(serving()) and keeping.missing(serving()) == 0
    assert [len(each["input"]) for each in vendor.asked] == [128, 72]
    assert "128" in said and "200" in said and "предупреждение" not in said


def test_an_import_without_a_key_asks_nobody_and_leaves_no_promise(db, vendor, settings, tmp_path):
    settings.EMBEDDER = ""

    put(tmp_path, entries(3))
    reconcile.sweep(now=timezone.now())

    assert (vendor.asked, Embedder.objects.count()) == ([], 0)


def test_the_same_words_are_embedded_once_and_unchanged_ones_never_again(db, vendor, tmp_path):
    put(tmp_path, [{"id": name, "title": "Одно", "text": "И то же."} for name in "abc"])
    assert sorted(vendor.texts) == ["Одно", "Одно\n\nИ то же."]

    put(tmp_path, [{"id": "a", "title": "Одно", "text": "И то же."}, {"id": "b", "title": "Одно", "text": "Другое."}])

    assert vendor.texts[2:] == ["Одно\n\nДругое."]


@pytest.mark.parametrize("mode", [*ERRORS, *SPOILT, "closed"])
def test_an_import_with_a_bad_vendor_stores_no_vector_and_ends_well_with_a_warning(db, vendor, mode, tmp_path):
    vendor.mode = mode

    said = put(tmp_path, entries(5))

    assert "предупреждение" in said and "sk-" not in said
    assert Embedding.objects.count() == 0
    assert [hit.article.external_id for hit in search("слово3")][:1] == ["e3"]


def test_an_import_with_a_silent_vendor_waits_once(db, vendor, monkeypatch, tmp_path):
    monkeypatch.setattr(keeping, "SILENCE", 0.3)
    vendor.mode = "hang"

    began = time.monotonic()
    said = put(tmp_path, entries(200))

    assert time.monotonic() - began < 5
    assert len(vendor.asked) == 1 and "предупреждение" in said


def test_what_an_import_couldnt_embed_follows_by_itself_as_soon_as_the_vendor_is_back(db, vendor, tmp_path):
    vendor.mode = "half"
    put(tmp_path, entries(5))
    assert (serving(), Embedding.objects.count()) == (None, 0)

    vendor.mode = "good"
    reconcile.sweep(now=timezone.now() + timedelta(seconds=5))

    assert whole(serving())


def test_the_first_failures_of_a_request_are_repeated_at_once(db, vendor, tmp_path):
    vendor.mode, vendor.bad_for = "broken", 2

    said = put(tmp_path, entries(5))

    assert whole(serving()) and "предупреждение" not in said
    assert len(vendor.asked) == 3


def test_half_a_batch_without_the_check_gives_texts_the_vectors_of_others(vendor, monkeypatch):
    """The twin: what the check is for. The stand-in's half comes in any order, and nobody would know."""
    from knowledge.embedding import openai

    monkeypatch.setattr(openai, "checked", lambda given, *, count, dimensions: list(given.values()))
    vendor.mode = "half"

    assert len(openai.OpenAIEmbedder("text-embedding-3-small", 1536).embed(["а", "б", "в", "г"], seconds=5)) == 2


def test_a_vendor_that_fails_for_long_is_asked_ever_less_and_never_given_up(db, vendor, tmp_path):
    vendor.mode = "bad key"
    put(tmp_path, entries(2))
    waits = []
    for _ in range(12):
        promise = Embedder.objects.get()
        assert promise.state == State.DUE
        waits.append((promise.due_at - timezone.now()).total_seconds())
        promise.keep(keeping.fulfil, now=promise.due_at)
    assert 299 < waits[-1] <= 300  # a refused key isn't tried every two seconds, nor for ever left alone

    vendor.mode = "good"
    promise.refresh_from_db()
    promise.keep(keeping.fulfil, now=promise.due_at)

    assert whole(serving())


def test_a_changed_article_is_embedded_in_the_background_and_its_old_vectors_go(db, vendor, write):
    write("a", "Жирафы", "Высокие.")
    reconcile.sweep(now=timezone.now())
    before = set(Embedding.objects.values_list("digest", flat=True))

    write("a", "Жирафы", "Очень высокие.")
    reconcile.sweep(now=timezone.now())

    after = set(Embedding.objects.values_list("digest", flat=True))
    assert whole(serving()) and len(after) == 2 and len(before & after) == 1


def test_passages_that_change_while_vectors_are_made_arent_forgotten(db, vendor, write):
    write("a", "Жирафы", "Высокие.")
    promise = keeping.current()

    def work(each: Embedder) -> None:
        keeping.fulfil(each)
        write("b", "Слоны", "Тяжёлые.")  # comes after the last look, before the promise is called kept

    promise.keep(work, now=timezone.now())

    promise.refresh_from_db()
    assert promise.state == State.DUE
    reconcile.sweep(now=timezone.now())
    assert whole(serving())


def test_they_are_forgotten_when_only_kept_promises_are_owed_anew(db, vendor, write, monkeypatch):
    """The twin: owing must also reach a promise that is being kept."""
    write("a", "Жирафы", "Высокие.")
    promise = keeping.current()
    monkeypatch.setattr(
        keeping, "owe", lambda: Embedder.objects.filter(state=State.KEPT).update(state=State.DUE, due_at=timezone.now())
    )

    def work(each: Embedder) -> None:
        keeping.fulfil(each)
        write("b", "Слоны", "Тяжёлые.")

    promise.keep(work, now=timezone.now())

    promise.refresh_from_db()
    assert promise.state == State.KEPT and not whole(promise)


def test_what_changed_while_there_was_no_key_is_noticed_when_it_is_back(db, vendor, settings, write):
    write("a", "Жирафы", "Высокие.")
    reconcile.sweep(now=timezone.now())
    name, settings.EMBEDDER = settings.EMBEDDER, ""
    write("b", "Слоны", "Тяжёлые.")
    reconcile.sweep(now=timezone.now())
    assert keeping.missing(Embedder.objects.get()) == 2

    settings.EMBEDDER = name
    keeping._looks.next_at = 0
    reconcile.sweep(now=timezone.now())

    assert whole(serving())


# --- switching --------------------------------------------------------------------------------------------------


def test_another_model_takes_over_in_one_step_when_it_has_everything(db, vendor, settings, tmp_path, monkeypatch):
    put(tmp_path, entries(100))
    first = serving()
    monkeypatch.setattr(keeping, "ROUND", 0.0)  # a portion a round

    choose(settings, OTHER, 64)
    states = []
    for _ in range(3):
        reconcile.sweep(now=timezone.now())
        states.append((serving().name, dense_finds("слово7")))

    assert states[0] == (first.name, True)  # a hundred are still missing: the old ones serve, all of them
    assert states[-1] == (f"openai/{OTHER}/64", True)
    assert whole(serving()) and not Embedder.objects.filter(pk=first.pk).exists()
    assert Embedding.objects.exclude(embedder=serving()).count() == 0


def dense_finds(text: str) -> bool:
    """Whether a search goes by vectors too, and finds by them."""
    hits = search(text)
    return bool(hits) and "likeness" in hits[0].parts


def test_a_switch_that_doesnt_wait_leaves_a_gap(db, vendor, settings, tmp_path, monkeypatch):
    """The twin: serving before all is there, articles without vectors can't be found by their meaning."""
    put(tmp_path, entries(100))
    monkeypatch.setattr(keeping, "ROUND", 0.0)
    monkeypatch.setattr(keeping, "_missing", lambda embedder: Passage.objects.none())

    choose(settings, OTHER, 64)
    reconcile.sweep(now=timezone.now())

    assert serving().name.startswith(f"openai/{OTHER}") and not whole(serving())


def test_while_another_model_is_on_its_way_questions_go_to_the_old_one(db, vendor, settings, tmp_path):
    put(tmp_path, entries(3))
    choose(settings, OTHER, 64)
    vendor.asked.clear()

    search("слово2")

    assert [each["model"] for each in vendor.asked] == ["text-embedding-3-small"]


def test_who_changes_his_mind_halfway_gets_the_old_one_back_and_what_was_begun_goes(
    db,
    vendor,
    settings,
    tmp_path,
    monkeypatch,
):
    put(tmp_path, entries(100))
    first = serving()
    monkeypatch.setattr(keeping, "ROUND", 0.0)
    choose(settings, OTHER, 64)
    reconcile.sweep(now=timezone.now())
    assert Embedder.objects.count() == 2

    choose(settings, "text-embedding-3-small", 1536)
    keeping.owe()
    for _ in range(2):
        reconcile.sweep(now=timezone.now())

    assert list(Embedder.objects.all()) == [first]
    assert whole(first)


def test_a_third_model_takes_the_place_of_the_second_on_its_way(db, vendor, settings, tmp_path, monkeypatch):
    put(tmp_path, entries(100))
    monkeypatch.setattr(keeping, "ROUND", 0.0)
    choose(settings, OTHER, 64)
    reconcile.sweep(now=timezone.now())

    choose(settings, "text-embedding-3-large", 512)
    for _ in range(4):
        reconcile.sweep(now=timezone.now())

    assert [each.name for each in Embedder.objects.all()] == ["openai/text-embedding-3-large/512"]
    assert whole(serving())


def test_vectors_of_a_dropped_embedder_cant_come_late(db, vendor, settings, write):
    write("a", "Жирафы", "Высокие.")
    late = keeping.current()
    (portion,) = keeping._portions(late, protocol.Limits(10, 1000, 10_000))
    Embedder.objects.filter(pk=late.pk).delete()

    with pytest.raises(keeping.Superseded):
        keeping.store(late, portion, [[1.0] + [0.0] * (WIDTH - 1)] * len(portion))


# --- kill -------------------------------------------------------------------------------------------------------


def test_a_killed_import_is_finished_by_the_sweep_and_pays_no_text_twice_but_those_under_way(tmp_path):
    rows = entries(200)
    (tmp_path / "entries.jsonl").write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in rows))
    with OpenAIStandIn() as standin, running(programs=()) as stack:
        stack.env |= {"OPENAI_API_KEY": "sk-kill-12345678", "OPENAI_BASE_URL": standin.url}
        standin.delay = 0.4
        importing = subprocess.Popen(
            [sys.executable, "manage.py", "import_articles", str(tmp_path / "entries.jsonl")],
            cwd=ROOT,
            env=stack.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: len(standin.asked) == 3, seconds=60, what="three requests")
        importing.send_signal(signal.SIGKILL)
        importing.wait(10)
        (stored,) = stack.sql("SELECT count(*) FROM knowledge_embedding")[0]
        assert 128 <= stored < 400

        standin.delay = 0.0
        stack.start("sweep")
        until(
            lambda: stack.sql("SELECT 1 FROM knowledge_embedder WHERE serves AND state = 'kept'"),
            seconds=30,
            what="the sweep makes the rest",
        )

        assert stack.sql("SELECT count(*) FROM knowledge_embedding") == [(400,)]
        texts = [text for text in standin.texts if not text.startswith("Здравствуйте")]
        assert len(set(texts)) == 400 and len(texts) <= 400 + 128
        assert standin.faults == []


def test_two_at_once_make_each_vector_and_leave_a_whole_index(transactional_db, vendor, tmp_path):
    vendor.delay = 0.1
    outcomes: list[str] = []
    put_without_vectors(tmp_path, entries(150))

    def work() -> None:
        try:
            outcomes.append(keeping.keep_all())
        finally:
            from common import locks

            locks.close()
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)

    assert outcomes == ["", "", ""]
    assert whole(serving()) and faults() == []
    assert len(vendor.texts) == len(set(vendor.texts)) == 300


def put_without_vectors(folder: Path, rows: list[dict[str, str]]) -> None:
    from knowledge.importing import import_articles

    path = folder / "entries.jsonl"
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in rows))
    import_articles(path)
