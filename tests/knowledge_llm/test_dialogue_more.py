"""More conversations: what the catalogue answers, changes in a word, the writing of the street, manners."""

from __future__ import annotations

import pytest

from knowledge.llm.keyless.needs import last_question
from tests.knowledge_llm.stage import CATALOGUE, Dialogue
from tests.knowledge_llm.test_dialogue import quoted

# --- what the catalogue answers by itself ---


def test_price_of_nothing_in_particular_is_a_line_per_product_and_one_question() -> None:
    reply = Dialogue().say("скок стоит")

    lines = [line for line in reply.text.splitlines() if line.startswith("- ")]
    assert len(lines) == len(CATALOGUE.products)
    assert "|" not in reply.text
    assert last_question(reply.text).startswith("Какой продукт вас интересует")


def test_month_and_year_stand_side_by_side_and_the_choice_is_asked() -> None:
    dialogue = Dialogue()
    dialogue.say("AI-менеджер на 1800 диалогов")

    reply = dialogue.say("что выгоднее, месяц или год?")

    assert [call["billing_period"] for call in dialogue.called("pricing__quote")] == ["year", "month"]
    assert "335\u00a0040\u00a0₽ за год" in reply.text
    assert "34\u00a0900\u00a0₽ за месяц" in reply.text
    assert reply.chips[:2] == ("На год", "Помесячно")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("какая скидка за год?", "За оплату сразу за год скидка 20\u00a0%."),
        ("скидка стартапам есть?", "Стартапам скидка 25\u00a0%."),
        ("на внедрение скидка действует?", "На услуги скидки не действуют"),
        ("чем отличается Бизнес от Про у юриста?", "«Про», до 600 документов в месяц – 89\u00a0900\u00a0₽"),
        ("бюджет 20 тысяч в месяц, что есть?", "AI-юрист «Старт»"),
        ("с НДС работаете?", "НДС не облагается"),
        ("какие есть доп услуги?", "Доработка под заказ – 4\u00a0500\u00a0₽ за час"),
        ("есть тариф премиум?", "Тарифа «премиум» у нас нет, есть «Старт», «Бизнес»"),
        ("а логист у вас есть?", "Продукта «AI-логист» у нас нет"),
    ],
)
def test_catalogue_answers(text: str, words: str) -> None:
    assert words in Dialogue().say(text).text


@pytest.mark.parametrize(
    ("turns", "services"),
    [
        (["менеджер 1800, обучение, три занятия", "четыре"], {"training": 4}),
        (["менеджер 1800, обучение и внедрение", "без обучения"], {"onboarding": 1}),
        (["менеджер 1800", "добавьте обучение, два раза", "уберите", "внедрение"], {"onboarding": 1}),
        (["менеджер 1800, доработка", "давайте 15 часов"], {"custom_dev": 15}),
    ],
)
def test_what_was_said_last_may_be_changed_in_a_word(turns: list[str], services: dict[str, int]) -> None:
    dialogue = Dialogue()

    for text in turns:
        dialogue.say(text)

    assert {each["service"]: each["quantity"] for each in quoted(dialogue)["services"]} == services


def test_volume_of_a_day_is_brought_to_the_month() -> None:
    dialogue = Dialogue()
    dialogue.say("AI-менеджер")
    dialogue.say("ну хоть 30")

    dialogue.say("в день")

    assert quoted(dialogue)["products"] == [{"product": "ai_manager", "volume": 900}]


@pytest.mark.parametrize(
    ("text", "volume"),
    [
        ("скоко стоит мененджер на 1800 деалогов", 1800),
        ("skolko stoit menedzher na 1800 dialogov", 1800),
        ("crjkmrj cnjbn vtytl;th yf 1800 lbfkjujd", 1800),
        ("Менеджер,1800диалогов", 1800),
        ("менеджер, диалогов тысячи две", 2000),
        ("менеджера на полтинник диалогов посчитайте", 50),
    ],
)
def test_writing_of_the_street_is_read(text: str, volume: int) -> None:
    dialogue = Dialogue()

    dialogue.say(text)

    assert quoted(dialogue)["products"] == [{"product": "ai_manager", "volume": volume}]


def test_threat_brings_a_person_at_once_and_annoyance_when_it_comes_again() -> None:
    threatened, annoyed = Dialogue(), Dialogue()

    threatened.say("я на вас в суд подам")
    annoyed.say("тупой бот")
    first = annoyed.called("sales__call_person")
    annoyed.say("ужасный сервис")

    assert threatened.called("sales__call_person") and annoyed.called("sales__call_person")
    assert first == []


def test_same_words_are_not_said_twice_where_there_are_others() -> None:
    dialogue = Dialogue()

    replies = [dialogue.say(text).text for text in ("как сварить борщ?", "кто президент?", "а сколько звёзд на небе?")]

    assert len({reply.split("\n")[0] for reply in replies}) == 3


def test_chips_leave_out_what_was_said_already() -> None:
    dialogue = Dialogue()
    first = dialogue.say("AI-юрист на 100 документов")
    again = dialogue.say("мы стартап")

    assert "Подготовить предложение" in first.chips
    assert "Мы стартап" not in again.chips
    assert first.chips != again.chips


def test_proposal_sums_up_what_is_in_it() -> None:
    dialogue = Dialogue()
    dialogue.say("AI-юрист на 100 документов за год и обучение два занятия")

    reply = dialogue.say("оформляйте")

    assert dialogue.called("billing__prepare_proposal") == [{"quote_number": "Q-1"}]
    assert "В нём: AI-юрист «Бизнес» (100 документов в месяц) и обучение сотрудников × 2, оплата за год." in reply.text


def test_gibberish_is_not_looked_up_as_a_question_that_nobody_answers() -> None:
    reply = Dialogue().say("асдфывапролд")

    assert reply.text.startswith("Не получилось понять")
    assert reply.unanswered == ()


def test_english_question_finds_the_russian_article_and_says_so() -> None:
    reply = Dialogue(language="en").say("Where is the data stored?")

    assert reply.text.startswith("Our article on this is in Russian")
    assert reply.sources == ("security",)


def test_wish_to_know_of_a_service_does_not_order_it() -> None:
    dialogue = Dialogue()
    dialogue.say("AI-менеджер на 600 диалогов")

    dialogue.say("хочу узнать про интеграцию с амо")

    assert dialogue.called("pricing__quote") == []


@pytest.mark.parametrize("text", ["добавьте менеджера на 600 диалогов", "а на год?"])
def test_what_is_in_the_quote_already_is_quoted_again(text: str) -> None:
    dialogue = Dialogue()
    dialogue.say("AI-менеджер на 600 диалогов, на год")

    reply = dialogue.say(text)

    assert "335\u00a0040\u00a0₽" in reply.text


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (["AI-аналитик", "сколько на 25 отчетов в месяц"], ({"product": "ai_analyst", "volume": 25}, "month")),
        (["менеджер бизнес, год", "не, про"], ({"product": "ai_manager", "tier": "pro"}, "year")),
        (["менеджер бизнес, год", "и год убери, помесячно"], ({"product": "ai_manager", "tier": "business"}, "month")),
        (["менеджера возьмём", "на 500"], ({"product": "ai_manager", "volume": 500}, "month")),
    ],
)
def test_short_orders_are_taken_as_they_are_meant(turns: list[str], expected: tuple[dict, str]) -> None:
    dialogue = Dialogue()

    for text in turns:
        dialogue.say(text)

    assert (quoted(dialogue)["products"][0], quoted(dialogue)["billing_period"]) == expected
