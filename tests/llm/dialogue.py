"""A short conversation to ask a vendor's stand-in with, and who is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from common.vendor_token import SharedToken
from knowledge.llm.chat import Answer, Called, ModelFailed, Part, Profile, Prompt, Returned, Said, ToolSpec
from knowledge.llm.dialects import by_name
from tests.standins.anthropic_messages import AnthropicMessages
from tests.standins.gigachat_api import GigaChatAPI
from tests.standins.model_vendor import ModelStandIn
from tests.standins.openai_chat import OpenAIChat

KEY = "sk-never-in-a-log-1234"
SECRET = "Мария Петрова, 79161234567"
VENDORS = ("openai", "anthropic", "yandexgpt", "gigachat")
SEARCH = ToolSpec(
    "knowledge__search",
    "Search the knowledge base.",
    {
        "type": "object",
        "properties": {"query": {"type": "string"}},
        "required": ["query"],
        "additionalProperties": False,
    },
)
QUESTION = Said("user", f"Сколько стоит? Я {SECRET}")
PROMPT = Prompt("Ты менеджер по продажам.", (QUESTION,), (SEARCH,), thread="c-7f3a")


@contextmanager
def standing_for(dialect: str) -> Iterator[Any]:
    """The vendor that speaks the dialect."""
    made: dict[str, Callable[[], ModelStandIn]] = {
        "openai": OpenAIChat,
        "anthropic": AnthropicMessages,
        "yandexgpt": lambda: OpenAIChat(quirks="yandex"),
        "gigachat": GigaChatAPI,
    }
    SharedToken.forget_all()
    with made[dialect]() as vendor:
        vendor.dialect = dialect
        yield vendor
    SharedToken.forget_all()


def profile(vendor: Any, *, answer_tokens: int = 800, **options: Any) -> Profile:
    more = {"auth_url": vendor.auth_url} if vendor.dialect == "gigachat" else {}
    more |= {"project": "b1gdemofolder"} if vendor.dialect == "yandexgpt" else {}
    return Profile(
        vendor.dialect,
        vendor.dialect,
        "demo-model",
        base_url=vendor.url,
        key=KEY,
        options={**more, **options},
        answer_tokens=answer_tokens,
    )


def ask(vendor: Any, prompt: Prompt = PROMPT, *, hear: Any = None, seconds: float = 5, **options: Any) -> Answer:
    return by_name(vendor.dialect).ask(prompt, profile=profile(vendor, **options), seconds=seconds, hear=hear)


def failure(vendor: Any, prompt: Prompt = PROMPT, **how: Any) -> ModelFailed:
    """What the call ends with, which must be no answer."""
    try:
        answer = ask(vendor, prompt, **how)
    except ModelFailed as failed:
        return failed
    raise AssertionError(f"an answer came: {answer}")


def going_on(prompt: Prompt, answer: Answer, *results: str, raw: bool = True, failed: bool = False) -> Prompt:
    """The prompt of the next step: the model's calls and what came of them."""
    parts: list[Part] = [*prompt.parts, Called(answer.text, answer.calls, answer.raw if raw else None)]
    parts += [Returned(call, text, failed) for call, text in zip(answer.calls, results, strict=True)]
    return replace(prompt, parts=tuple(parts))
