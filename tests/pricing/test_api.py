"""The public calculator over HTTP, the command that answers the same, and the assistant's tool."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from pricing.models import Quote
from pricing.reading import MOST_BYTES
from sales.assistant.tools import TOOLS, ToolContext, ToolFailed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

PATH = "/api/v1/pricing/quotes"


def post(body: Any, content_type: str = "application/json") -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(enforce_csrf_checks=True).generic("POST", PATH, data, content_type=content_type)


def without_number(answer: dict[str, Any]) -> dict[str, Any]:
    """What two answers to the same request have in common: the number is new each time, in the summary too."""
    number = answer.pop("number", "")
    return {**answer, "summary": answer.get("summary", "").replace(number, "№")}


def run(path: Path) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("quote", requests=str(path), stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_anyone_may_ask_and_the_quote_is_kept(worked_example: dict[str, Any]) -> None:
    response = post(worked_example)

    assert response.status_code == 200
    answer = response.json()
    assert answer["total"] == "528280.00"
    assert set(answer) == {
        *("number", "tiers", "subscription", "discounts", "services", "total", "vat", "on_request", "summary")
    }
    assert Quote.objects.get().number == answer["number"]


def test_a_bad_request_is_400_with_every_mistake(worked_example: dict[str, Any]) -> None:
    response = post({**worked_example, "billing_period": "week", "startup": "yes"})

    assert response.status_code == 400
    assert response.json() == {
        "errors": [
            {
                "field": "billing_period",
                "code": "unknown_period",
                "message": "Период оплаты может быть month (месяц) или year (год).",
            },
            {"field": "startup", "code": "not_a_boolean", "message": "Нужно true или false без кавычек."},
        ]
    }
    assert not Quote.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 60_000, "not_json"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b" " * (MOST_BYTES + 1), "body_too_large"),
        (b" " * 3_000_000, "body_too_large"),
    ],
)
def test_what_is_no_json_object_is_400_in_the_same_shape(body: bytes, code: str) -> None:
    response = post(body)

    assert response.status_code == 400
    assert [(each["field"], each["code"]) for each in response.json()["errors"]] == [("body", code)]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_json_is_json_whatever_it_is_called(worked_example: dict[str, Any], content_type: str) -> None:
    assert post(worked_example, content_type).json()["total"] == "528280.00"


def test_what_is_not_text_is_answered_and_not_choked_on() -> None:
    body = b'{"products": [{"product": "\\ud800\\u0000", "tier": "start"}], "billing_period": "month"}'

    response = post(body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "unknown_product"


def test_other_methods_are_refused() -> None:
    assert Client().get(PATH).status_code == 405


def test_too_many_requests_from_one_address_are_put_off(settings: Any, worked_example: dict[str, Any]) -> None:
    from common.ratelimits import LIMITS, count, forgive

    settings.RATE_LIMITS = True
    try:
        for _ in range(LIMITS["quote"][0]):
            count("quote", "127.0.0.1")
        response = post(worked_example)
    finally:
        forgive("quote", "127.0.0.1")

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


LINES = [
    b'{"products":[{"product":"ai_manager","volume":1800},{"product":"ai_lawyer","tier":"start"}],'
    b'"services":[{"service":"onboarding","quantity":1},{"service":"extra_channel","quantity":2}],'
    b'"billing_period":"year","startup":true}',
    b'{"products":[{"product":"ai_manager","tier":"start"}],"billing_period":"month"}',
    b'\xef\xbb\xbf{"products":[{"product":"ai_analyst","volume":401}],"billing_period":"month"}\r',
    b"",
    b"{broken",
    b"\xff\xfe",
    b"[1, 2]",
    b'{"products":[{"product":"ai_manager","tier":"start","volume":501}],"billing_period":"month"}',
    b'{"products":[{"product":"ai_manager","tier":"start","volume":1.0}],"billing_period":"month"}',
    b'{"products":[{"product":"ai_manager","tier":"start"},{"product":"ai_manager","tier":"pro"}],'
    b'"billing_period":"decade"}',
    '{"products":[{"product":"\u2028","tier":"start"}],"billing_period":"month"}'.encode(),
    b'{"products":[],"services":[{"service":"custom_dev","quantity":1000000000000}],"billing_period":"month"}',
    b'{"products":[],"services":[{"service":"custom_dev","quantity":1000000000001}],"billing_period":"month"}',
    b'{"products":[],"services":[{"service":"custom_dev","quantity":' + b"9" * 5000 + b'}],"billing_period":"month"}',
]


def test_the_command_and_the_api_give_the_same_answers_to_the_same_lines(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b"\n".join(LINES) + b"\n\n")

    by_command = run(path)
    by_api = [post(line).json() for line in LINES]

    assert len(by_command) == len(LINES)
    assert [without_number(each) for each in by_command] == [without_number(each) for each in by_api]
    assert ["errors" in each for each in by_command] == [False] * 3 + [True] * 8 + [False] + [True] * 2
    assert by_command[11]["total"] == "4500000000000000.00"


def test_the_command_says_what_file_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        run(tmp_path / "nowhere.jsonl")


def context(conversation: Any) -> ToolContext:
    return ToolContext(conversation.pk, conversation.lead_id, uuid.uuid4(), timezone.now())


def test_the_assistant_gets_words_figures_and_a_card(conversation: Any, worked_example: dict[str, Any]) -> None:
    output = TOOLS["pricing__quote"].run(context(conversation), worked_example)

    quote = Quote.objects.get()
    assert quote.conversation_id == conversation.pk and quote.lead_id == conversation.lead_id
    assert "528\u00a0280\u00a0₽" in output.text
    assert output.data["total"] == "528280.00"
    assert [card["number"] for card in output.cards] == [quote.number]
    assert output.remember["quote"]["number"] == quote.number
    assert output.remember["quote"]["request"] == worked_example


def test_the_assistant_is_told_what_to_correct(conversation: Any) -> None:
    with pytest.raises(ToolFailed, match=r"products\[0\].product: Продукта «nope» нет. Выберите из: ai_manager"):
        TOOLS["pricing__quote"].run(
            context(conversation), {"products": [{"product": "nope", "tier": "start"}], "billing_period": "month"}
        )

    assert not Quote.objects.exists()


@pytest.mark.parametrize("volume", ["1800", 1800.5, True])
def test_the_assistant_cannot_pass_a_volume_that_is_no_whole_number(conversation: Any, volume: Any) -> None:
    arguments = {"products": [{"product": "ai_manager", "volume": volume}], "billing_period": "month"}

    with pytest.raises(ToolFailed):
        TOOLS["pricing__quote"].run(context(conversation), arguments)


def test_every_amount_of_a_reply_made_from_the_tool_is_proven(
    conversation: Any, worked_example: dict[str, Any]
) -> None:
    from sales.assistant import guard
    from sales.assistant.protocol import ToolResult

    output = TOOLS["pricing__quote"].run(context(conversation), worked_example)
    result = ToolResult("1", "pricing__quote", output.text, output.data)

    assert guard.inspect(output.text, results=[result], heard=[]).passed
    assert guard.inspect(output.cards[0]["text"], results=[result], heard=[]).passed
    assert not guard.inspect("Итого 500 000 ₽.", results=[result], heard=[]).passed


def test_every_figure_of_the_price_list_is_proven(conversation: Any) -> None:
    from sales.assistant import guard
    from sales.assistant.protocol import ToolResult

    output = TOOLS["pricing__price_list"].run(context(conversation), {})
    result = ToolResult("1", "pricing__price_list", output.text, output.data)

    shown = "AI-юрист от 19\u00a0900\u00a0₽, до 50 документов; за год скидка 20\u00a0%, все вместе не больше 45\u00a0%."
    assert guard.inspect(shown, results=[result], heard=[]).passed
    assert not guard.inspect("AI-юрист за 18\u00a0900\u00a0₽.", results=[result], heard=[]).passed
