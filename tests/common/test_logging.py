"""Log lines: JSON with ids, and none of what people said, are called, or must keep secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import logging.config
import sys
import uuid

import pytest
import structlog
from django.conf import settings

from common import scrubbing
from common.logging import ALLOWED, bound, configure
from common.problems import LastingProblem
from common.scrubbing import scrub

PHONE, EMAIL, NAME = "+7 916 123-45-67", "anna.k@example.com", "Анна Аркадьевна"
TEXT = "Здравствуйте, меня бросил муж и мне нужен юрист"
SECRET = "s3cr3t-of-the-webhook-0123456789"
BOT = "123456:AAF-token_of_the_bot"
PLANTED = [PHONE, "9161234567", "123-45-67", EMAIL, NAME, "Аркадьевна", TEXT, "бросил муж", SECRET, BOT]


@pytest.fixture
def stream(monkeypatch):
    """The real configuration, writing where we can read."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setenv("AVITO_WEBHOOK_SECRET", SECRET)
    scrubbing.secrets.cache_clear()
    before = logging.root.handlers[:], logging.root.level
    disabled = {name: logging.getLogger(name).level for name in ("httpx", "django", "asyncio")}
    logging.config.dictConfig(configure("DEBUG"))
    yield written
    logging.root.handlers[:], logging.root.level = before
    for name, level in disabled.items():
        logging.getLogger(name).setLevel(level)
    logging.config.dictConfig(settings.LOGGING)
    logging.root.handlers[:] = before[0]
    scrubbing.secrets.cache_clear()


def lines(written: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def raised(problem: BaseException) -> BaseException:
    try:
        raise problem
    except BaseException as caught:
        return caught


def test_a_line_has_its_ids_and_measures(stream):
    conversation = uuid.uuid4()
    with bound(request_id="r-1", conversation_id=conversation):
        logging.getLogger("sales.turn").info("turn answered", extra={"ms": 12.5, "outcome": "answered"})

    (line,) = lines(stream)

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "sales.turn",
        "event": "turn answered",
        "request_id": "r-1",
        "conversation_id": str(conversation),
        "ms": 12.5,
        "outcome": "answered",
    }


def test_structlog_and_logging_look_alike(stream):
    structlog.get_logger("sales").warning("ring failed", task="t")
    logging.getLogger("sales").warning("ring failed", extra={"task": "t"})

    first, second = lines(stream)

    assert {**first, "timestamp": ""} == {**second, "timestamp": ""}


def test_a_key_that_nobody_allowed_is_dropped_and_named(stream):
    logging.getLogger("sales").info("saved", extra={"text": TEXT, "customer_name": NAME, "lead_id": "7"})

    (line,) = lines(stream)

    assert line["lead_id"] == "7"
    assert line["dropped"] == ["customer_name", "text"]
    assert TEXT not in stream.getvalue() and NAME not in stream.getvalue()


def test_allowed_keys_name_no_content():
    assert not ALLOWED & {
        "text",
        "name",
        "phone",
        "email",
        "company",
        "body",
        "path",
        "url",
        "query",
        "ip",
        "user_agent",
    }


def say_own(log: logging.Logger) -> None:
    log.warning(f"could not reach {PHONE} or {EMAIL}")
    log.warning("gave up", extra={"problem": f"no answer from {PHONE}", "reason": f"https://a.b/x?phone={PHONE}"})
    log.error(f"POST https://api.telegram.org/bot{BOT}/sendMessage")
    log.error(f"GET /api/v1/webhooks/avito/messages/{SECRET}")
    log.error("broker redis://user:passw0rd-of-redis@host:1/0 is away")


def say_foreign(log: logging.Logger) -> None:
    log.warning("bad message %s from %r", TEXT, NAME)
    log.warning("bad %(what)s", {"what": TEXT})
    log.error("Exception inside application: %s\n%s", ValueError(TEXT), f"Traceback ... {TEXT}")
    log.info("HTTP Request: POST %s", f"https://api.telegram.org/bot{BOT}/sendMessage")


@pytest.mark.parametrize(
    "problem",
    [
        ValueError(f"invalid literal for int(): {TEXT!r}"),
        KeyError(NAME),
        UnicodeEncodeError("utf-8", TEXT, 0, 1, "surrogates"),
        RuntimeError(f"DETAIL: Key (phone)=({PHONE}) already exists, {NAME}"),
        LastingProblem(f"the bot was blocked by {PHONE}, {EMAIL}"),
        ConnectionError(f"https://api.telegram.org/bot{BOT}/x refused"),
        ExceptionGroup("several", [ValueError(TEXT)]),
    ],
)
@pytest.mark.parametrize("name", ["sales.turn", "django.request", "celery.app", "asyncio"])
def test_exceptions_tell_type_and_place_and_not_what_they_quote(stream, problem, name):
    private = TEXT  # a local variable, as frames have them
    try:
        try:
            raise problem
        except Exception as inner:
            raise LookupError(f"while saving {private}") from inner
    except LookupError:
        logging.getLogger(name).exception("it failed")

    (line,) = lines(stream)

    assert line["exception"]["type"] == "LookupError"
    assert line["exception"]["where"][-1].startswith("tests/common/test_logging.py:")
    assert line["exception"]["because"][0]["type"] == type(problem).__name__
    assert [planted for planted in PLANTED if planted in stream.getvalue()] == []


def test_our_own_exceptions_keep_their_words(stream):
    logging.getLogger("sales").error("gave up", exc_info=raised(LastingProblem("the chat is gone")))

    assert lines(stream)[0]["exception"]["words"] == "the chat is gone"


def test_nothing_planted_reaches_the_stream(stream):
    for name in ["sales", "common.bell", "channels_app.telegram"]:
        say_own(logging.getLogger(name))
    for name in ["django.request", "daphne.server", "httpx2", "celery.worker", "redis", "asyncio", "aiohttp.client"]:
        say_foreign(logging.getLogger(name))
    request = type("R", (), {"path": f"/documents/{SECRET}/КП.pdf"})
    logging.getLogger("django.request").warning(
        "%s: %s", "Not Found", request.path, extra={"status_code": 404, "request": request}
    )
    logging.getLogger("django.security.DisallowedHost").error(f"Invalid HTTP_HOST header: '{SECRET}'.")

    assert len(lines(stream)) > 30
    assert [planted for planted in PLANTED if planted in stream.getvalue()] == []
    assert "passw0rd-of-redis" not in stream.getvalue()
    assert f"documents/{SECRET}" not in stream.getvalue()


def test_twin_without_the_filters_everything_planted_is_there():
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    log = logging.getLogger("twin")
    log.handlers, log.propagate = [handler], False
    say_own(log)
    say_foreign(log)

    assert {PHONE, EMAIL, TEXT, SECRET, BOT} <= {planted for planted in PLANTED if planted in written.getvalue()}


async def test_a_forgotten_task_does_not_tell_what_it_held(stream):
    async def fail() -> None:
        raise ValueError(TEXT)

    loop = asyncio.get_running_loop()
    task = loop.create_task(fail())
    await asyncio.wait([task])
    loop.call_exception_handler(
        {"message": "Task exception was never retrieved", "exception": task.exception(), "future": task}
    )

    (line,) = lines(stream)

    assert line["event"] == "Task exception was never retrieved"
    assert TEXT not in stream.getvalue()


@pytest.mark.parametrize("name", ["httpx", "httpx2", "urllib3", "kombu"])
def test_libraries_that_log_addresses_are_silent_below_warning(stream, name):
    logging.getLogger(name).info("HTTP Request: POST https://a.b/c")

    assert stream.getvalue() == ""


def test_every_line_is_one_line_of_json(stream):
    logging.getLogger("sales").warning("two\nlines \u2028 and \x1b[31m colour", extra={"reason": "a\nb"})

    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue())["reason"] == "a\nb"


def test_secrets_of_the_settings_are_cut_out():
    assert settings.SECRET_KEY not in scrub(f"key is {settings.SECRET_KEY}!")
    assert scrub("Authorization: Bearer abcdef.0123456789") == "Authorization: Bearer […]"
    assert scrub("plain words stay") == "plain words stay"


@pytest.mark.parametrize("name", ["sales", "redis"])
def test_a_line_that_does_not_fit_its_arguments_does_not_print_them(name):
    record = logging.LogRecord(name, logging.INFO, "", 0, "%d things %5.2f", ("nonsense", TEXT), None)

    line = json.loads(configure()["formatters"]["line"]["()"]().format(record))

    assert line["event"] == "… things …"


def test_a_long_text_is_cut():
    assert len(scrub("x" * 10_000)) == 501


def test_console_style_is_scrubbed_too():
    formatter = configure(style="console")["formatters"]["line"]
    line = formatter["()"](style="console").format(
        logging.LogRecord("sales", logging.INFO, "", 0, f"call {PHONE}", None, None)
    )

    assert "call […]" in line and PHONE not in line
