"""How the index follows the articles."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from common.promise import State
from knowledge import indexing, reconcile
from knowledge.enums import IndexState, Status
from knowledge.models import Article, Indexing, Mark, Passage, PostingList
from knowledge.operations import BadArticle, Draft, note_change, put_many, save_article, set_status
from knowledge.queries import with_index_state
from knowledge.search import index, search
from knowledge.search.postings import COUNT_AT, COUNT_MOST, LENGTH_MOST, OFFSET_AT, POSTING, SPAN
from knowledge.words import word
from tests.knowledge.checks import faults, rows


def state(article: Article) -> str:
    return with_index_state(Article.objects.all()).get(pk=article.pk).index_state


def found(text: str) -> list[str]:
    return [hit.article.external_id for hit in search(text)]


def draft(name: str, body: str = "Текст.", **fields) -> Draft:
    return Draft(external_id=name, title=fields.pop("title", f"Статья {name}"), body=body, **fields)


def test_a_saved_article_is_owed_and_the_sweep_pays_without_a_worker(db):
    article = save_article(draft=draft("a", "Про жирафов."), by=None)
    assert (state(article), found("жираф")) == (IndexState.WAITING, [])

    done = reconcile.sweep(now=timezone.now())

    assert (done, state(article), found("жираф")) == (1, IndexState.INDEXED, ["a"])
    assert faults() == []


def test_saving_without_a_change_owes_nothing(write):
    article = write("a", "Заголовок", "Текст.", questions=("Вопрос?",))

    save_article(draft=Draft("Заголовок", "Текст.", questions=("Вопрос?",)), by=None, article=article)
    note_change(article=article)

    assert list(Indexing.objects.values_list("version", "state")) == [(1, State.KEPT)]


def test_a_change_touches_only_the_passages_that_changed(write):
    body = "# Раз\nПервый кусок.\n# Два\nВторой кусок.\n# Три\nТретий кусок."
    write("a", "Статья", body)
    write("b", "Другая", "Совсем другой текст.")
    before = set(Passage.objects.values_list("id", "article__external_id", "position"))
    untouched = _postings_of(before)

    write("a", "Статья", body.replace("Второй", "Новый"))

    after = set(Passage.objects.values_list("id", "article__external_id", "position"))
    gone, made = before - after, after - before
    assert [each[1:] for each in gone] == [each[1:] for each in made] == [("a", 1)]
    assert _postings_of(before & after) == {each for each in untouched if each[1] not in {key for key, *_ in gone}}
    assert faults() == []


def _postings_of(passages: set[tuple]) -> set[tuple]:
    wanted = {each[0] for each in passages}
    return {each for each in _index() if each[1] in wanted}


def _index() -> list[tuple]:
    """All postings: mark, passage, the rest of its bits."""
    return [
        (mark, place * SPAN + (posting >> OFFSET_AT), posting & ((1 << OFFSET_AT) - 1))
        for mark, place, data in rows("SELECT mark, range, postings FROM knowledge_postinglist")
        for posting in np.frombuffer(data, dtype=POSTING).tolist()
    ]


def test_a_passage_that_only_moved_keeps_its_postings(write):
    write("a", "Статья", "# Раз\nПервый.\n# Два\nВторой.")
    before = dict(Passage.objects.filter(kind="body").values_list("text", "id"))

    write("a", "Статья", "# Ноль\nНулевой.\n# Два\nВторой.\n# Раз\nПервый.")

    after = {text: (key, place) for text, key, place in Passage.objects.values_list("text", "id", "position")}
    assert (after["Первый."], after["Второй."]) == ((before["Первый."], 2), (before["Второй."], 1))
    assert faults() == []


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_withdrawn_article_leaves_the_search_at_once_and_the_index_soon(write, by_hand):
    article = write("secret", "Тайна", "Про единорогов.")
    write("open", "Явь", "Про лошадей.")
    assert found("единороги")[0] == "secret"

    if by_hand:
        set_status(articles=[article], status=Status.DRAFT, by=None)
    else:
        save_article(draft=draft("secret", "Про единорогов.", status=Status.DRAFT), by=None, article=article)

    assert "secret" not in found("единороги")  # nobody has been rung yet
    indexing.sweep(now=timezone.now())
    assert Passage.objects.filter(article=article).count() == 0
    assert state(article) == IndexState.NOT_SEARCHED
    assert faults() == []


def test_a_deleted_article_takes_its_postings_with_it(write):
    article = write("a", "Заголовок", "Неповторимый текст.")
    write("b", "Другой", "Иное.")

    article.delete()

    assert found("неповторимый") == []
    assert faults() == []


def test_when_the_last_article_goes_nothing_is_left(write):
    write("a", "Заголовок", "Текст.").delete()

    assert (PostingList.objects.count(), Mark.objects.count()) == (0, 0)
    assert faults() == []


def test_many_at_once_and_one_by_one_come_to_the_same_index(db):
    drafts = [draft(f"a{n}", f"# Раздел\nСлова номер {n} и прочее.\n" * (1 + n % 3)).cleaned() for n in range(12)]
    for each in drafts:
        save_article(draft=each, by=None)
    while indexing.sweep(now=timezone.now()):
        pass
    by_one = _index_by_words()
    Article.objects.all().delete()

    indexing.index_all_owed(put_many(drafts=drafts, by=None, now=timezone.now()), now=timezone.now())

    assert _index_by_words() == by_one


def _index_by_words() -> set:
    places = {
        key: (name, kind, place)
        for key, name, kind, place in Passage.objects.values_list("id", "article__external_id", "kind", "position")
    }
    return {(mark, places[passage], rest) for mark, passage, rest in _index()}


def test_an_index_that_is_written_in_portions_is_the_same(db, monkeypatch):
    drafts = [draft(f"a{n}", f"# Раздел\nСлова номер {n} и прочее.\n" * 3).cleaned() for n in range(9)]
    indexing.index_all_owed(put_many(drafts=drafts, by=None, now=timezone.now()), now=timezone.now())
    whole = _index_by_words()
    Article.objects.all().delete()
    monkeypatch.setattr(index, "PORTION", 60)

    indexing.index_all_owed(put_many(drafts=drafts, by=None, now=timezone.now()), now=timezone.now())

    assert _index_by_words() == whole
    assert faults() == []


def test_an_import_that_dies_leaves_a_whole_index_and_the_sweep_does_the_rest(db, monkeypatch):
    monkeypatch.setattr(indexing, "AT_ONCE", 3)
    drafts = [draft(f"a{n}", f"Слово{n}.").cleaned() for n in range(7)]
    ids = put_many(drafts=drafts, by=None, now=timezone.now())
    write, calls = index.write, []

    def dies(article_ids):
        calls.append(article_ids)
        if len(calls) == 2:
            write(article_ids)
            raise KeyboardInterrupt
        return write(article_ids)

    monkeypatch.setattr(index, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        indexing.index_all_owed(ids, now=timezone.now())
    monkeypatch.setattr(index, "write", write)
    assert faults() == []
    assert Passage.objects.values("article").distinct().count() == 3
    assert indexing.sweep(now=timezone.now()) == 0  # the import may still be at work

    indexing.sweep(now=timezone.now() + indexing.IMPORT_LEASE + timedelta(seconds=1))

    assert Passage.objects.values("article").distinct().count() == 7
    assert set(Indexing.objects.values_list("state", flat=True)) == {State.KEPT}
    assert faults() == []


def test_a_megabyte_is_an_article_like_any_other(write):
    article = write("big", "Большая", "Слово разное и всякое. " * 22_000 + "Иголка в стоге.")

    assert state(article) == IndexState.INDEXED
    assert found("иголка")[0] == "big"
    assert faults() == []


def test_what_is_longer_than_an_article_may_be_is_refused_with_its_length(db):
    with pytest.raises(BadArticle) as refused:
        save_article(draft=draft("book", "я" * 2_000_001), by=None)

    assert "2000001" in refused.value.problems["body"]


def test_what_postgresql_cannot_hold_is_cleaned(write):
    write("a", "За\x00головок\ud800", "Те\x00кст \ud83d конца.", questions=("Воп\x00рос?",))

    article = Article.objects.get()
    assert "\x00" not in article.title + article.body + article.questions.get().text
    assert found("конца") == ["a"]


def test_an_article_with_a_placeholder_that_names_nothing_is_refused(catalogue):
    with pytest.raises(BadArticle) as refused:
        save_article(draft=draft("a", "Стоит {{ price:ai_manager.golden }}."), by=None)

    assert "{{ price:ai_manager.golden }}" in refused.value.problems["body"]


def test_placeholders_are_not_words_but_other_braces_are(write, catalogue):
    write("a", "Цены", "Тариф {{ price:ai_manager.business }}, шаблон {{ unicorn }}.")

    assert (found("unicorn"), found("ai_manager.business")) == (["a"], [])


def test_a_failure_is_shown_and_tried_again(write, monkeypatch):
    article = save_article(draft=draft("a"), by=None)

    def broken(article_ids):
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr(index, "write", broken)
        indexing.sweep(now=timezone.now())
    owed = Indexing.objects.get()
    assert (owed.state, owed.attempts, owed.problem) == (State.DUE, 1, "RuntimeError")
    assert state(article) == IndexState.WAITING

    indexing.sweep(now=timezone.now() + timedelta(minutes=1))

    assert state(article) == IndexState.INDEXED


def test_lists_grow_and_shrink_across_ranges_of_ids(write, monkeypatch):
    ids = rows("SELECT setval(pg_get_serial_sequence('knowledge_passage', 'id'), 16381)")
    assert ids
    for name in "abcdef":
        write(name, f"Статья {name}", "Общее слово и всякое.")
    assert len(set(Passage.objects.values_list("id", flat=True))) == 12
    assert {each[0] for each in rows("SELECT range FROM knowledge_postinglist")} == {0, 1}

    write("b", "Статья b", "Другое.")
    Article.objects.get(external_id="a").delete()

    assert faults() == []
    assert set(found("общее слово всякое")) == {"c", "d", "e", "f"}


def test_what_is_longer_or_oftener_than_a_posting_can_say_is_said_as_much_as_it_can(write):
    write("often", "Часто", "слон " * 100)

    (posting,) = (each for each in _index() if each[0] == word("слон").stem_mark)
    assert posting[2] >> COUNT_AT & COUNT_MOST == COUNT_MOST
    assert posting[2] & LENGTH_MOST == 101
