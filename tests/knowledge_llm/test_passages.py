"""What is shown of a found passage, and when nothing is."""

from __future__ import annotations

from typing import Any

from knowledge.llm.keyless import passages
from knowledge.llm.keyless.questions import Question

LIST = "Подключаются каналы:\n\n- чат на сайте;\n- Telegram;\n- Авито."


def hit(
    text: str, *, share: float = 0.8, product: str = "", article: str = "a1", title: str = "Каналы"
) -> dict[str, Any]:
    return {
        "article": article,
        "title": title,
        "passage": title,
        "text": text,
        "score": 1,
        "share": share,
        "product": product,
    }


def test_short_passage_is_shown_whole_without_its_heading() -> None:
    (answer,) = passages.choose(Question("какие каналы подключаются?"), [hit(f"## Каналы\n\n{LIST}")])

    assert (answer.text, answer.article, answer.title) == (LIST, "a1", "Каналы")


def test_long_passage_is_cut_to_the_blocks_about_the_question() -> None:
    beside = "Посторонний рассказ о погоде и природе. " * 12
    text = f"{beside}\n\n{LIST}\n\n{beside}"

    shown = passages.excerpt(text, "какие каналы подключаются?", most=300)

    assert shown == LIST


def test_list_stays_with_the_line_that_announces_it() -> None:
    shown = passages.excerpt("Вступление. " * 40 + f"\n\n{LIST}", "Telegram", most=200)

    assert shown == LIST


def test_single_long_block_is_cut_to_its_sentences() -> None:
    text = "Погода бывает разной. " * 30 + "Обучение длится два часа. " + "Погода бывает разной. " * 30

    shown = passages.excerpt(text, "сколько длится обучение?", most=120)

    assert "Обучение длится два часа." in shown
    assert len(shown) <= 120


def test_unsure_hit_is_no_answer() -> None:
    assert passages.choose(Question("какие каналы подключаются?"), [hit(LIST, share=0.05)]) == []


def test_hit_that_shares_no_words_with_the_question_is_no_answer() -> None:
    assert passages.choose(Question("как приготовить борщ?"), [hit(LIST)]) == []


def test_hit_about_another_product_is_passed_over() -> None:
    other = hit("Каналы юриста: почта.", product="ai_lawyer", article="lawyer")
    ours = hit("Каналы менеджера: чат.", product="ai_manager", article="manager", share=0.5)

    (answer,) = passages.choose(Question("какие каналы у AI-менеджера?", ("ai_manager",)), [other, ours])

    assert answer.article == "manager"


def test_comparison_shows_both_products_in_the_order_they_were_named() -> None:
    hits = [
        hit("AI-юрист сравнивает договоры.", product="ai_lawyer", article="lawyer"),
        hit("AI-менеджер сравнивает заявки.", product="ai_manager", article="manager"),
    ]
    question = Question("сравните AI-менеджера и AI-юриста", ("ai_manager", "ai_lawyer"), "compare")

    assert [answer.article for answer in passages.choose(question, hits)] == ["manager", "lawyer"]


BODY = """Обучаем и запускаем за две недели.

## Этапы

Знакомство, база знаний, проба.

## Что нужно от вас

Программист нужен, только если сайт самописный.

## Цены

Об этом другая статья.
"""


def test_question_about_the_article_itself_is_answered_by_its_lead() -> None:
    found = {**hit("Знакомство, база знаний, проба.", title="Внедрение"), "body": BODY}

    (answer,) = passages.choose(Question("как проходит внедрение?"), [found])

    assert answer.text == "Обучаем и запускаем за две недели."


def test_special_question_is_answered_from_the_section_that_has_its_words() -> None:
    found = {**hit("Знакомство, база знаний, проба. Нужен программист.", title="Запуск"), "body": BODY}

    (answer,) = passages.choose(Question("нужен ли программист?"), [found])

    assert answer.text == "Программист нужен, только если сайт самописный."


def test_list_of_frequent_questions_gives_the_one_that_was_asked() -> None:
    text = "**Нужен ли программист?** Нет.\n\n**Можно ли сменить тариф?** Да, с начала месяца."

    assert passages.excerpt(text, "как сменить тариф") == "**Можно ли сменить тариф?** Да, с начала месяца."


def test_lines_broken_in_the_source_are_joined() -> None:
    assert passages.excerpt("Первая строка\nи её конец.\n\n- пункт\n  и его конец\n- второй", "") == (
        "Первая строка и её конец.\n\n- пункт и его конец\n- второй"
    )


def test_a_heading_counts_when_a_passage_is_judged() -> None:
    hit = {"article": "faq", "title": "Частые вопросы", "passage": "Какие гарантии", "share": 1.0}
    hit["text"] = "Пока действует предложение, цена в нём не меняется."

    assert passages.choose(Question("какие гарантии"), [hit])
    assert not passages.choose(Question("какие гарантии"), [hit | {"passage": ""}])
