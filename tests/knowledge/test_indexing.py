"""How the index follows the articles."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from common.promise import State
from knowledge import indexing, reconcile
from knowledge.enums import IndexState, Status
from knowledge.models import Article, Indexing, Mark, Passage, Posting, Yardstick
from knowledge.operations import BadArticle, Draft, note_change, put_many, save_article, set_status
from knowledge.queries import with_index_state
from knowledge.search import index, search
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
    versions = _row_versions()

    write("a", "Статья", body.replace("Второй", "Новый"))

    after = set(Passage.objects.values_list("id", "article__external_id", "position"))
    gone, made = before - after, after - before
    assert [each[1:] for each in gone] == [each[1:] for each in made] == [("a", 1)]
    old, new = {each[0] for each in gone}, {each[0] for each in made}
    assert {key for key in _row_versions().items() ^ versions.items() if key[0][1] not in old | new} == set()
    assert faults() == []


def _row_versions() -> dict:
    """Each posting with the transaction and place of its row: a row that is written again has another."""
    return {
        (mark, passage): place for mark, passage, place in rows("SELECT mark, passage, ctid FROM knowledge_posting")
    }


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

    assert (Posting.objects.count(), Mark.objects.filter(passages__gt=0).count()) == (0, 0)
    assert faults() == []


def test_averages_that_have_moved_away_scale_everything_anew(write):
    for name in "abc":
        write(name, f"Короткая {name}", "Два слова.")
    number = Yardstick.objects.get().number

    write("long", "Длинная", "Очень много самых разных слов подряд идут здесь. " * 30)
    indexing.sweep(now=timezone.now())

    yardstick = Yardstick.objects.get()
    assert yardstick.number > number
    assert set(Passage.objects.values_list("yardstick", flat=True)) == {yardstick.number}
    assert set(Indexing.objects.values_list("state", flat=True)) == {State.KEPT}
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

    together = _index_by_words()
    assert together.keys() == by_one.keys()
    # averages may lag behind by the drift that is allowed
    assert all(together[key] == pytest.approx(by_one[key], rel=index.DRIFT) for key in together)


def _index_by_words() -> dict:
    return {
        (name, kind, place, mark): factor
        for name, kind, place, mark, factor in rows(
            "SELECT a.external_id, p.kind, p.position, t.mark, t.factor FROM knowledge_posting t"
            " JOIN knowledge_passage p ON p.id = t.passage JOIN knowledge_article a ON a.id = p.article_id"
        )
    }


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


def test_the_index_of_postings_holds_all_that_a_search_reads(db):
    ((definition,),) = rows("SELECT indexdef FROM pg_indexes WHERE tablename = 'knowledge_posting'")

    assert definition.endswith("(mark, passage) INCLUDE (factor)")
