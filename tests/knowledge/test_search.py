"""What a question finds."""

from __future__ import annotations

import pytest
from django.utils import timezone

from knowledge import indexing
from knowledge.models import Article, Passage, PostingList
from knowledge.operations import Draft, put_many
from knowledge.search import query, search
from knowledge.search.explain import try_out
from knowledge.search.spelling import nearest
from knowledge.words import split, word


def found(text: str, limit: int = 10) -> list[str]:
    return [hit.article.external_id for hit in search(text, limit=limit)]


@pytest.fixture
def shelf(write):
    write("delivery", "Доставка", "Привозим товар курьером по городу за один день.")
    write("return", "Возврат", "Деньги вернём на карту, если товар не подошёл.")
    write("warranty", "Гарантия", "Чиним бесплатно два года.", questions=("Что делать, если сломалось?",))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("когда привезут заказ курьером", "delivery"),  # another form of the word
        ("возвращение денег", "return"),  # another part of speech
        ("курером дастафка", "delivery"),  # misspelt
        ("у меня сломалась штука", "warranty"),  # as the article's own question
        ("ЧИНИТЕ?!", "warranty"),
        ("ljcnfdrf", "delivery"),  # the keyboard stood on English
        ("здравствуйте подскажите пожалуйста про гарантию спасибо", "warranty"),
    ],
)
def test_a_question_finds_its_article_whatever_its_spelling(shelf, question, answer):
    assert found(question)[0] == answer


@pytest.mark.parametrize(
    "question", ["", " \n", "🙂🙂", "!!!", "\u200b", "{{ 7*7 }}", "'; DROP TABLE", "%s %d {0}", "я" * 5000]
)
def test_a_question_without_sense_finds_little_and_breaks_nothing(shelf, question):
    assert set(found(question)) <= {"delivery", "return", "warranty"}


def test_an_article_is_found_once_by_its_best_passage(write):
    write("long", "Правила", "# Цвет\nКрасный диван.\n# Цена\nЖёлтый стол и ещё диван.\n# Срок\nСиний шкаф.")

    hits = search("жёлтый стол")

    assert [(hit.article.external_id, hit.passage.heading) for hit in hits] == [("long", "Цена")]


def test_a_long_article_does_not_drown(write):
    noise = "\n".join(
        f"# Глава {n}\n" + f"Совсем другой рассказ номер {n} о погоде и природе. " * 10 for n in range(40)
    )
    write("long", "Справочник", noise + "\n# Пропуск\nПропуск на территорию выдаёт охрана.")
    write("short", "Погода", "Погода сегодня хорошая, природа тоже.")

    assert found("кто выдаёт пропуск")[0] == "long"


def test_a_title_alone_is_enough_to_be_found(write):
    write("bare", "Как отменить подписку")
    write("other", "Как продлить договор")

    assert found("отмена подписки")[0] == "bare"


def test_titles_may_repeat(write):
    write("one", "Оплата", "Картой.")
    write("two", "Оплата", "Наличными.")

    assert found("оплата наличными") == ["two", "one"]


def test_each_score_is_explained_down_to_the_word(shelf):
    trial = try_out("курер доставвка сломалось")

    assert trial.replaced == {"курер": "курьер", "доставвка": "доставк"}
    for explained in trial.hits:
        parts = sum(part.amount for part in explained.parts)
        assert parts == pytest.approx(explained.hit.score, rel=1e-3)
        assert parts == pytest.approx(sum(explained.hit.parts.values()), rel=1e-3)
    by_question = next(each for each in trial.hits if each.hit.article.external_id == "warranty")
    assert by_question.question == "Что делать, если сломалось?"


def test_an_unknown_word_is_taken_for_the_nearest_known_one(shelf):
    stems = [word(form).stem for form in split("достовка курер гарантея космос")]

    assert nearest(stems) == {"достовк": "доставк", "курер": "курьер", "гаранте": "гарант"}


def test_the_commonest_marks_are_not_read_where_others_tell_more(db):
    drafts = [
        Draft(external_id=f"a{n}", title=f"Заметка {n}", body=f"Общее слово и редкость{n} вместе.").cleaned()
        for n in range(160)
    ]
    indexing.index_all_owed(put_many(drafts=drafts, by=None, now=timezone.now()), now=timezone.now())

    read = query.read("общее слово редкость7")

    assert {term.said for term in read.terms if term.part.name == "stem"} == {"редкость7"}
    assert found("общее слово редкость7")[0] == "a7"
    assert len(found("общее слово", limit=200)) == 160  # there is nothing else to go by


def test_a_question_reads_a_bounded_number_of_postings(db, monkeypatch):
    drafts = [Draft(external_id=f"a{n}", title=f"Заметка номер {n}", body="").cleaned() for n in range(40)]
    indexing.index_all_owed(put_many(drafts=drafts, by=None, now=timezone.now()), now=timezone.now())
    monkeypatch.setattr(query, "POSTINGS_MOST", 100)

    read = query.read("заметка номер 17 заметочка")

    assert 0 < sum(term.passages for term in read.terms) <= 100
    assert sum(len(data) for data in PostingList.objects.values_list("postings", flat=True)) > 4 * 1000


def test_a_search_asks_the_same_number_of_questions_of_the_database_for_one_hit_and_for_many(
    write, django_assert_num_queries
):
    write("a", "Доставка", "Курьер.")
    search("доставка")
    with django_assert_num_queries(3):
        search("доставка")
    for name in "bcdefgh":
        write(name, f"Доставка {name}", "Курьер.")

    with django_assert_num_queries(3):
        assert len(search("доставка")) == 8


def test_a_hit_does_not_load_the_whole_article(shelf):
    (hit, *_rest) = search("доставка")

    assert "body" in hit.article.get_deferred_fields()
    assert isinstance(hit.passage, Passage)
    assert Article.objects.get(pk=hit.article.pk).body
