"""What all dialects do alike: order a conversation, read arguments, listen to a stream, say why nothing good came."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from common import wire
from knowledge.llm.chat import (
    Answer,
    Call,
    Called,
    Failure,
    ModelFailed,
    Profile,
    Prompt,
    Returned,
    Said,
    Usage,
)

#: characters of words and arguments; no answer of ours is so long
MOST_TEXT = 200_000
#: calls in one answer
MOST_CALLS = 32
#: after the last word only the count of tokens may still come; nobody waits long for it
AFTER_THE_END = 2.0
#: and not at all for the mark of the end
LAST_BYTES = 0.1
#: what a vendor may take as the text of a result that never came
NO_RESULT = "This call was not run."


# --- the conversation -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exchange:
    """A step in which the model asked for calls, with a result for each of them, in order.

    ``raw`` is the model's own step if this very model made it; else it is told anew from our words, with ``ids``
    that are the same whenever the same conversation is told.
    """

    called: Called
    results: tuple[Returned, ...]
    ids: tuple[str, ...]
    raw: Any = None


def exchanges(prompt: Prompt, *, mine: Callable[[Any], Any]) -> Iterator[Said | Exchange]:
    """The parts of a prompt as vendors want them: no empty words, and each call with exactly one result at once."""
    results = {part.call.id: part for part in prompt.parts if isinstance(part, Returned)}
    count = 0
    for part in prompt.parts:
        if isinstance(part, Said) and part.text.strip():
            yield part
        elif isinstance(part, Called) and part.calls:
            raw = mine(part.raw)
            numbers = range(count + 1, count + 1 + len(part.calls))
            count += len(part.calls)
            yield Exchange(
                called=part,
                results=tuple(results.get(call.id) or Returned(call, NO_RESULT, failed=True) for call in part.calls),
                ids=tuple(f"call_{number}" for number in numbers),
                raw=raw,
            )
        elif isinstance(part, Called) and part.text.strip():
            yield Said("assistant", part.text)


def mark(dialect: str, profile: Profile, step: Any) -> dict[str, Any]:
    """What ``Answer.raw`` holds: the model's own step, and whose it is."""
    return {"dialect": dialect, "model": profile.model, "step": step}


def own(raw: Any, dialect: str, profile: Profile) -> Any:
    """The step kept by ``mark`` if this model made it, else None: what another said it wouldn't understand."""
    if isinstance(raw, Mapping) and raw.get("dialect") == dialect and raw.get("model") == profile.model:
        return raw.get("step")
    return None


# --- what came back ---------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """Text that a database takes: no NUL, and no halves of characters that JSON's escapes can make."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "")


def arguments(given: object) -> tuple[dict[str, Any], str]:
    """Arguments of a call, and what is wrong with them in words for the model."""
    if isinstance(given, str):
        if not given.strip():
            return {}, ""
        try:
            given = json.loads(given, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return {}, "The arguments are not valid JSON. Call again with a JSON object that keeps to the schema."
    if given is None:
        return {}, ""
    if not isinstance(given, Mapping):
        return {}, "The arguments are not a JSON object. Call again with an object that keeps to the schema."
    try:
        return _cleaned(dict(given)), ""
    except RecursionError:
        return {}, "The arguments are nested too deeply. Call again with an object that keeps to the schema."


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): _cleaned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return value


def call(name: object, given: object, vendor_id: object = "") -> Call:
    """A call that came, under an id of our own: vendors' ids may repeat."""
    read, problem = arguments(given)
    return Call(
        id=f"call-{uuid.uuid4().hex[:16]}",
        name=clean(name)[:200] if isinstance(name, str) else "",
        arguments=read,
        vendor_id=vendor_id if isinstance(vendor_id, str) else "",
        problem=problem,
    )


def number(value: object) -> int:
    """A count of tokens; nought for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def tokens(text: str) -> int:
    """About how many tokens a text has: Latin letters go four to one, Cyrillic ones two and a half."""
    wide = len(text.encode("utf-8", "replace")) - len(text)
    return (len(text) - min(wide, len(text))) // 4 + int(min(wide, len(text)) / 2.5) + 1 if text else 0


def estimate(prompt: Prompt, said: str) -> Usage:
    """What a call has used, where the vendor doesn't tell."""
    texts = [prompt.system, *(f"{tool.name} {tool.description} {json.dumps(tool.schema)}" for tool in prompt.tools)]
    for part in prompt.parts:
        texts.append(part.text)
        if isinstance(part, Called):
            texts += [f"{each.name} {json.dumps(dict(each.arguments), ensure_ascii=False)}" for each in part.calls]
    return Usage(prompt=sum(map(tokens, texts)) + 4 * len(prompt.parts), answer=tokens(said), estimated=True)


@dataclass
class Ear:
    """Listens to one call: words as they come, when the first came, and how much in all."""

    clock: wire.Call
    hear: Callable[[str], None] | None
    started: float = field(default_factory=time.monotonic)
    first_piece: float | None = None
    #: what the listener itself has raised: no problem of the model
    fault: BaseException | None = None
    #: the vendor has said that the answer is complete
    complete: bool = False
    _pieces: list[str] = field(default_factory=list)
    _length: int = 0

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def words(self, piece: object) -> None:
        """A piece of the text."""
        if not isinstance(piece, str) or not piece or self.complete:
            return
        self.more(len(piece))
        piece = clean(piece)
        self._pieces.append(piece)
        if self.first_piece is None:
            self.first_piece = time.monotonic() - self.started
        if self.hear is not None:
            try:
                self.hear(piece)
            except BaseException as fault:
                self.fault = fault
                raise

    def more(self, length: int) -> None:
        """Count what came, of words or arguments."""
        self._length += length
        if self._length > MOST_TEXT:
            self.clock.too_big = True
            raise ModelFailed(Failure.MALFORMED, "the answer doesn't end")

    def end(self, seconds: float = AFTER_THE_END) -> None:
        """Nothing more is said: what still comes is waited for so long, and no failure of it matters."""
        self.complete = True
        self.clock.ends = min(self.clock.ends, time.monotonic() + seconds)


def answered(
    *,
    ear: Ear,
    prompt: Prompt,
    calls: Sequence[Call],
    usage: Usage | None,
    cut: bool,
    raw: Any,
    streamed: bool,
    request_id: str = "",
) -> Answer:
    """The answer, or ``ModelFailed`` when there is nothing in it to go on with."""
    text = ear.text
    used = usage or estimate(prompt, text)
    if len(calls) > MOST_CALLS:
        raise ModelFailed(Failure.MALFORMED, f"{len(calls)} calls came at once", usage=used)
    if any(not each.name for each in calls):
        raise ModelFailed(Failure.MALFORMED, "a call without a name came", usage=used)
    kept = () if cut else tuple(calls)
    if not text.strip() and not kept:
        words = "the answer was cut before its first word" if cut else "the answer is empty"
        raise ModelFailed(Failure.MALFORMED, words, usage=used)
    return Answer(
        text=text,
        calls=kept,
        usage=used,
        cut=cut,
        request_id=request_id or ear.clock.request_id,
        first_piece=ear.first_piece if streamed else None,
        raw=raw if kept else None,
    )


# --- what went wrong --------------------------------------------------------------------------------------------

#: words of vendors for what went wrong, whatever the status
_SAID: Mapping[str, Failure] = {
    **dict.fromkeys(
        ("insufficient_quota", "billing_error", "billing_hard_limit_reached", "billing_not_active"), Failure.NO_MONEY
    ),
    **dict.fromkeys(("unsupported_country_region_territory", "request_forbidden", "forbidden"), Failure.COUNTRY),
    **dict.fromkeys(("context_length_exceeded", "request_too_large"), Failure.TOO_LONG),
    **dict.fromkeys(("model_not_found", "not_found_error"), Failure.NO_MODEL),
    **dict.fromkeys(("invalid_api_key", "authentication_error", "permission_error"), Failure.KEY),
    **dict.fromkeys(("content_filter", "content_policy_violation", "invalid_prompt"), Failure.FILTERED),
    **dict.fromkeys(("rate_limit_exceeded", "rate_limit_error"), Failure.LIMITED),
    **dict.fromkeys(("overloaded_error", "api_error", "server_error", "timeout_error"), Failure.SERVER),
}
_STATUS: Mapping[int, Failure] = {
    401: Failure.KEY,
    402: Failure.NO_MONEY,
    404: Failure.NO_MODEL,
    410: Failure.NO_MODEL,
    413: Failure.TOO_LONG,
    429: Failure.LIMITED,
    408: Failure.SERVER,
    409: Failure.SERVER,
    499: Failure.SERVER,
}
_TOO_LONG = re.compile(
    r"context (length|window|size)|prompt is too long|maximum context|too many (input )?tokens|input tokens"
    r"|размер\w* контекста|слишком длинн",
    re.I,
)
_NO_MONEY = re.compile(r"credit balance is too low|insufficient (balance|credits|funds)", re.I)
_COUNTRY = re.compile(r"countr|region|territor|request not allowed|location is not supported", re.I)


def refused(
    who: str, status: int, body: object, headers: Mapping[str, str] | None = None, *, at_home: bool = False
) -> ModelFailed:
    """Why a vendor that answered with an error did so. Its own words are read here and go no further.

    ``at_home``: the vendor is in the country, so what it forbids is the key's.
    """
    error = body
    if isinstance(error, Mapping) and isinstance(error.get("error"), Mapping):
        error = error["error"]
    told = error if isinstance(error, Mapping) else {}
    names = [name for name in (wire.code(told.get("code")), wire.code(told.get("type"))) if name]
    words = str(told.get("message") or "")[:2_000]
    failure = _why(status, names, words, readable=bool(told), at_home=at_home)
    shown = next((name for name in names if name != str(status)), "")
    return ModelFailed(
        failure,
        f"{who} answers {status}{f' ({shown})' if shown else ''}",
        retry_after=wire.retry_after(headers or {}),
    )


def _why(status: int, names: Iterable[str], words: str, *, readable: bool, at_home: bool) -> Failure:
    for name in names:
        if name in _SAID and not (at_home and _SAID[name] is Failure.COUNTRY):
            return _SAID[name]
    if status in {400, 403, 422, 429} and _NO_MONEY.search(words):
        return Failure.NO_MONEY
    if status in {200, 400, 422} and _TOO_LONG.search(words):
        return Failure.TOO_LONG
    if status in _STATUS:
        return _STATUS[status]
    if status == 403:
        abroad = not readable or bool(_COUNTRY.search(words))
        return Failure.COUNTRY if abroad and not at_home else Failure.KEY
    if status >= 500 or status == 200:  # an error in the midst of a stream comes with 200
        return Failure.SERVER
    return Failure.BAD_REQUEST


@dataclass(frozen=True)
class Faults:
    """An SDK's exceptions, by what they mean."""

    timeouts: tuple[type[Exception], ...] = ()
    connections: tuple[type[Exception], ...] = ()
    #: has ``body``, and mostly ``response``
    errors: tuple[type[Exception], ...] = ()


def listen(
    speak: Callable[[Ear], Answer],
    *,
    prompt: Prompt,
    profile: Profile,
    seconds: float,
    hear: Callable[[str], None] | None,
    faults: Faults,
    at_home: bool = False,
) -> Answer:
    """Run one call under the clock; whatever it raises becomes ``ModelFailed``, with nothing of what was said in it."""
    if seconds <= 0:
        raise ModelFailed(Failure.TIMEOUT, f"{profile.slug} had no time left")
    with wire.within(seconds) as clock:
        ear = Ear(clock, hear)
        try:
            return speak(ear)
        except Exception as problem:
            if problem is ear.fault:
                raise
            failed = _explained(problem, ear=ear, profile=profile, faults=faults, at_home=at_home)
        if 200 <= clock.status < 300 and failed.usage == Usage():
            failed.usage = estimate(prompt, ear.text)  # the vendor has worked, and may charge for it
    # outside of the handler: an SDK's exception holds the whole request, with its key, and must not hang on ours
    raise failed


def _explained(problem: Exception, *, ear: Ear, profile: Profile, faults: Faults, at_home: bool) -> ModelFailed:
    who, clock = profile.slug, ear.clock
    if clock.too_big:
        return ModelFailed(Failure.MALFORMED, f"{who}'s answer doesn't end")
    if isinstance(problem, ModelFailed):
        return ModelFailed(
            problem.failure, f"{who}: {problem.words}", retry_after=problem.retry_after, usage=problem.usage
        )
    timed_out = isinstance(problem, (httpx2.TimeoutException, *faults.timeouts))
    if timed_out or isinstance(problem, (httpx2.RequestError, httpx2.InvalidURL, *faults.connections)):
        if clock.status >= 400:
            return refused(who, clock.status, None, at_home=at_home)
        if clock.over or (timed_out and clock.answered):
            return ModelFailed(Failure.TIMEOUT, f"{who} didn't end in {clock.seconds:g} s")
        if clock.answered:
            return ModelFailed(Failure.BROKEN, f"{who}'s answer broke off")
        return ModelFailed(Failure.CONNECTION, f"there is no connection to {who}")
    if isinstance(problem, faults.errors):
        response = getattr(problem, "response", None)
        status = getattr(response, "status_code", None) or clock.status or 200
        body = getattr(problem, "body", None)
        return refused(who, status, body, getattr(response, "headers", None), at_home=at_home)
    if clock.status >= 400:
        return refused(who, clock.status, None, at_home=at_home)
    if clock.kind == "text/event-stream" and isinstance(problem, ValueError):
        return ModelFailed(Failure.BROKEN, f"{who}'s stream can't be read")
    # the SDKs check no answer: what is missing shows when it is looked for
    return ModelFailed(Failure.MALFORMED, f"{who}'s answer can't be read: {type(problem).__name__}")
