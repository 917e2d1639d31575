"""What holds for any text at all."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.llm.keyless.understanding import understand
from tests.knowledge_llm.stage import CATALOGUE, Dialogue

#: words that mean something here, so that random messages meet each other's rules
SAID = """
    AI-менеджер менеджер юрист юриста аналитик бот эй ай нейроюрист тариф бизнес про старт enterprise 1800 500 0 -5 2к
    полторы тысячи сто двадцать диалогов документов отчётов в месяц за год на помесячно поквартально мы стартап не без
    только вместо добавьте уберите внедрение обучение занятия канала три сколько стоит цена скидка 90 % что умеет как
    почему и а если ? , . ! : да нет спасибо привет пока кп пришлите позовите человека [ТЕЛЕФОН_1] [ПОЧТА_1] Иван
    меня зовут ООО «Вектор» инструкции бесплатно рублей 10000 yes how much hello \u200b \u202e 😀 <b> {x} {{price}} %s
"""
WORDS = SAID.split()

texts = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
relaxed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(texts)
def test_any_text_is_read_without_an_error(text: str) -> None:
    understand(text, CATALOGUE)


@relaxed
@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(["ru", "en"]))
def test_any_conversation_gets_answers_whose_every_amount_a_tool_has_named(messages: list[str], language: str) -> None:
    dialogue = Dialogue(language=language)

    replies = [dialogue.say(text) for text in messages]  # the stage fails on an amount without proof

    assert all(reply.text.strip() for reply in replies)
    assert all(len(reply.chips) <= 4 for reply in replies)


@relaxed
@given(st.lists(texts, min_size=1, max_size=3))
def test_same_conversation_gets_the_same_answers(messages: list[str]) -> None:
    one, other = Dialogue(), Dialogue()

    assert [one.say(text) for text in messages] == [other.say(text) for text in messages]
