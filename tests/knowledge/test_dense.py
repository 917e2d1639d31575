"""Search by words and meaning together, and by words alone whenever the other half doesn't answer."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from common import health
from common.health import look
from knowledge import reconcile
from knowledge.embedding import asking, keeping
from knowledge.embedding.protocol import literal
from knowledge.models import Embedder, Embedding, Passage
from knowledge.search import UNSURE, dense, search
from knowledge.search.sparse import Sparse
from tests.knowledge.baseline import ndcg
from tests.standins import meanings
from tests.standins.openai_embeddings import SPOILT

SET = Path(project.BASE_DIR) / "benchmarks" / "data" / "retrieval"


def found(text: str) -> list[str]:
    return [hit.article.external_id for hit in search(text)]


def ready() -> tuple[str, str]:
    """The embedder on ``/ready``: its state and what is said of it."""
    (mine,) = [each for each in look() if each.name == "embedder"]
    return mine.state, mine.detail


@pytest.fixture(autouse=True)
def _afresh(monkeypatch):
    monkeypatch.setattr(health, "_checks", health._Checks())


@pytest.fixture
def two(vendor, write):
    """Two articles with vectors, of which one is found by another word."""
    write("discount", "Скидки", "Скидка даётся за оплату вперёд.")
    write("courier", "Доставка", "Везём курьером по городу.")
    reconcile.sweep(now=timezone.now())
    assert Embedder.objects.get().serves
    return vendor


def test_what_shares_no_word_is_found_by_meaning(two):
    by_words = [hit.article.external_id for hit in Sparse().search("будет ли поблажка", limit=10)]
    assert "discount" not in by_words

    hits = search("будет ли поблажка")

    assert hits[0].article.external_id == "discount"
    assert hits[0].passage.text == "Скидка даётся за оплату вперёд."
    assert hits[0].parts["likeness"] > 0.3 and hits[0].share > 0


def test_without_a_key_words_stand_alone_and_nobody_is_asked(two, settings):
    settings.EMBEDDER = ""
    two.asked.clear()

    assert "discount" not in found("будет ли поблажка")
    assert found("скидки")[0] == "discount"
    assert two.asked == []


def test_phones_and_addresses_never_leave(two):
    search("скидки, мой телефон +7 916 123-45-67, почта ivan@example.com")

    assert two.texts[-1] == "скидки, мой телефон [ТЕЛЕФОН_1], почта [ПОЧТА_1]"


def test_the_customers_name_never_leaves(two, conversation, now):
    from knowledge.tools import search as tool
    from sales.assistant.tools import ToolContext
    from sales.operations import save_contact

    save_contact(lead_id=conversation.lead_id, now=now, name="Варфоломей Кукушкин", by=None)
    context = ToolContext(conversation.pk, conversation.lead_id, None, now)

    tool(context=context, query="Какие скидки для Варфоломея Кукушкина?")

    assert two.texts[-1] == "Какие скидки для [ИМЯ_1]?"


def test_a_name_said_in_the_conversation_never_leaves(two, conversation, now):
    from common.masking import Masker
    from knowledge.tools import search as tool
    from sales.assistant.tools import ToolContext

    masker = Masker()
    masker.mask_conversation([("assistant", "Как вас зовут?"), ("customer", "капитолина"), ("customer", "а скидки?")])
    context = ToolContext(conversation.pk, conversation.lead_id, None, now, privacy=masker)

    tool(context=context, query="скидки для капитолины")

    assert two.texts[-1] == "скидки для [ИМЯ_1]"


def test_the_same_question_is_asked_once(two):
    for _ in range(3):
        search("поблажка постоянным")

    assert two.texts.count("поблажка постоянным") == 1


def test_an_article_that_has_no_vectors_yet_is_found_by_its_words(two, write):
    write("new", "Рассрочка", "Рассрочка на полгода без переплаты.")
    assert keeping.missing(Embedder.objects.get()) == 2

    assert found("рассрочка на полгода")[0] == "new"


def test_a_withdrawn_article_is_gone_at_once(two):
    from knowledge.enums import Status
    from knowledge.models import Article

    Article.objects.filter(external_id="discount").update(status=Status.DRAFT)

    assert "discount" not in found("будет ли поблажка")


@pytest.mark.parametrize("text", ["", "   ", "?!", "\ud83d"])
def test_a_question_without_words_breaks_nothing(two, text):
    search(text.encode("utf-8", "replace").decode())


# --- a vendor that fails while somebody waits -------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*SPOILT, "busy", "no money", "broken", "bad key", "abroad", "retired", "closed"])
def test_a_failing_embedder_leaves_search_by_words_and_rests(two, mode):
    two.mode = mode
    asked = len(two.asked)

    assert [found("скидки за оплату")[0] for _ in range(5)] == ["discount"] * 5
    assert len(two.asked) == asked + 1


def test_a_hanging_embedder_costs_one_slow_search(two, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE", 0.4)
    two.mode = "hang"

    times = [timed("скидки", n) for n in range(5)]

    assert 0.4 <= times[0] < 1.5
    assert max(times[1:]) < 0.3


def test_without_the_rest_every_search_is_slow(two, monkeypatch):
    """The twin: what the rest is for."""
    monkeypatch.setattr(asking, "PATIENCE", 0.4)
    monkeypatch.setattr(asking, "REST", 0.0)
    two.mode = "hang"

    times = [timed("скидки", n) for n in range(3)]

    assert min(times) >= 0.4


def timed(text: str, number: int) -> float:
    began = time.monotonic()
    assert found(f"{text} {number}")[0] == "discount"
    return time.monotonic() - began


def test_a_dripping_embedder_costs_no_more_than_its_time(two, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE", 0.4)
    two.mode = "drip"

    assert timed("скидки", 1) < 1.5


def test_after_its_rest_the_embedder_is_asked_again(two, monkeypatch):
    monkeypatch.setattr(asking, "REST", 0.05)
    two.mode = "broken"
    assert "discount" not in found("будет ли поблажка")

    two.mode = "good"
    time.sleep(0.1)

    assert found("будет ли поблажка")[0] == "discount"


# --- what /ready says -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
class TestReady:
    def test_off_without_a_key(self, vendor, settings):
        settings.EMBEDDER = ""

        assert ready()[0] == "off"

    def test_ok_with_all_vectors(self, two):
        search("скидки")

        assert ready() == ("ok", "")
        assert Embedder.objects.get().answered_at is not None

    @pytest.mark.parametrize("mode", ["wrong size", "half", "broken", "hang", "garbage", "bad key"])
    def test_down_with_the_reason_when_questions_fail_and_ok_when_they_dont_any_more(self, two, mode, monkeypatch):
        monkeypatch.setattr(asking, "PATIENCE", 0.3)
        two.mode = mode
        # one text has no half: what comes for it is nothing
        assert found("скидки")[0] == "discount"

        state, said = ready()
        assert state == "down" and said
        assert "sk-" not in said and "127.0.0.1" not in said

        two.mode = "good"
        asking.forget()
        Embedder.objects.update(failed_at=timezone.now() - asking.PROBE_EVERY)
        reconcile.sweep(now=timezone.now())
        assert ready() == ("ok", "")

    @pytest.mark.parametrize("mode", ["wrong size", "half", "broken", "hang"])
    def test_down_with_the_reason_and_how_many_wait_when_an_import_fails(self, vendor, mode, tmp_path, monkeypatch):
        monkeypatch.setattr(keeping, "SILENCE", 0.3)
        vendor.mode = mode
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"id": "a", "title": "Скидки", "text": "За год."}))
        call_command("import_articles", str(path))

        state, said = ready()

        assert state == "down" and "2 passages wait" in said

    def test_the_site_stays_ready(self, two, client):
        two.mode = "broken"
        search("скидки")

        answer = client.get("/ready")

        assert answer.status_code == 200
        assert answer.json()["dependencies"]["embedder"]["state"] == "down"


# --- the labelled set -------------------------------------------------------------------------------------------


@pytest.fixture
def labelled(db, vendor) -> list[dict[str, Any]]:
    call_command("import_articles", str(SET / "articles.jsonl"), verbosity=0)
    return [json.loads(line) for line in (SET / "queries.jsonl").read_text().splitlines()]


def halves(text: str) -> dict[str, list[Any]]:
    """What each half finds by itself, and what both find together."""
    embedder = dense.serving()
    vector = dense.question_vector(text, embedder)
    near = sorted(dense.near(vector, embedder), key=lambda each: -each.likeness)
    names = dict(Passage.objects.values_list("article_id", "article__external_id"))
    return {
        "words": [hit.article.external_id for hit in Sparse().search(text, limit=10)],
        "meaning": [names[each.article] for each in near[:10]],
        "both": found(text),
    }


def test_both_halves_together_find_better_than_either_alone(labelled):
    asked = [each for each in labelled if each["relevant"]]
    results = [halves(each["text"]) for each in asked]
    scores = {
        name: [ndcg(each[name], query["relevant"]) for each, query in zip(results, asked, strict=True)]
        for name in ("words", "meaning", "both")
    }
    # the weight was chosen by looking at every other question
    unseen = {name: mean(each[1::2]) for name, each in scores.items()}
    whole = {name: mean(each) for name, each in scores.items()}

    print({name: round(value, 3) for name, value in whole.items()}, unseen)
    assert whole["both"] > whole["words"] + 0.1 and whole["both"] > whole["meaning"] + 0.01
    assert unseen["both"] > unseen["words"] and unseen["both"] > unseen["meaning"]


def test_foreign_questions_are_no_surer_than_without_vectors_and_answerable_ones_are(labelled, settings):
    def sure(text: str) -> bool:
        hits = search(text, limit=1)
        return bool(hits) and hits[0].share >= UNSURE

    def counted() -> tuple[int, int]:
        foreign = [sure(each["text"]) for each in labelled if not each["relevant"]]
        return sum(foreign), sum(sure(each["text"]) for each in labelled if each["relevant"])

    foreign, kept = counted()
    settings.EMBEDDER = ""
    foreign_by_words, kept_by_words = counted()

    print(foreign, kept, foreign_by_words, kept_by_words)
    assert foreign <= foreign_by_words
    assert kept > kept_by_words


# --- many vectors -----------------------------------------------------------------------------------------------


def test_above_the_bound_the_index_is_walked_and_finds_the_same(transactional_db, labelled, monkeypatch):
    embedder = dense.serving()
    texts = [each["text"] for each in labelled if each["kind"] == "far"][:30]
    exact = {text: found(text)[:5] for text in texts}

    monkeypatch.setattr(dense, "EXACT_UPTO", 0)
    walked = {text: found(text)[:5] for text in texts}

    same = mean(len(set(exact[text]) & set(walked[text])) / 5 for text in texts)
    assert same >= 0.95
    with connection.cursor() as cursor:
        cursor.execute("SHOW hnsw.ef_search")
        assert cursor.fetchone() == ("40",)  # ours was for one statement
    assert embedder.slot in (0, 1)


def test_the_walk_goes_by_the_index_of_the_embedders_slot(vendor, write):
    write("a", "Скидки", "За год.")
    reconcile.sweep(now=timezone.now())
    embedder = Embedder.objects.get()
    chance = random.Random(5)
    Embedding.objects.bulk_create(
        Embedding(
            embedder=embedder,
            digest=number,
            slot=embedder.slot,
            vector=meanings.unit([chance.gauss(0, 1) for _ in range(1536)]),
        )
        for number in range(300)
    )
    walk = dense._NEAREST.format(slot=embedder.slot, most=dense.EF_SEARCH, distance=dense._DISTANCE)
    values = {"vector": literal([1.0] + [0.0] * 1535), "embedder": embedder.pk, "articles": []}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE knowledge_embedding")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {walk}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert f"embedding_near_{embedder.slot}" in plan


def test_vectors_alone_settle_nothing_where_they_are_noise(labelled, vendor, monkeypatch):
    """A model that understands nothing may not spoil what the words have found."""
    chance = random.Random(1)

    def noise(*args: Any, **kwargs: Any) -> list[float]:
        return meanings.unit([chance.gauss(0, 1) for _ in range(1536)])

    asked = [each for each in labelled if each["kind"] in {"near", "noisy"}]
    by_words = mean(ndcg(halves(query["text"])["words"], query["relevant"]) for query in asked)
    monkeypatch.setattr(dense, "question_vector", noise)

    together = mean(ndcg(found(query["text"]), query["relevant"]) for query in asked)

    assert together >= by_words - 0.03


def test_a_search_costs_a_fixed_number_of_statements(two, django_assert_max_num_queries):
    search("скидки")

    with django_assert_max_num_queries(12):
        search("скидки")
