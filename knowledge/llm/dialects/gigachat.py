"""GigaChat's own API, version 1: a token that lives half an hour, functions one at a time, one system message.

Options of a profile:

``auth_url``    where tokens come from, and ``scope``, which contract they are for
``ca_file``     a file of roots trusted beside the system's, by this vendor's client only
``concurrent``  how many calls the contract allows at once, in all processes together
``stream``      whether to stream
``temperature`` sent only where it is set
``headers``, ``extra``   more headers; more of the request's body
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx2

from common import locks, wire
from common.problems import TemporaryProblem
from common.vendor_token import SharedToken
from knowledge.llm.chat import Answer, Call, Called, Failure, ModelFailed, Profile, Prompt, Returned, Usage
from knowledge.llm.dialects import shared
from knowledge.llm.dialects.shared import Ear, Exchange

NAME = "gigachat"
DEFAULTS: Mapping[str, Any] = {
    "base_url": "https://gigachat.devices.sberbank.ru/api/v1",
    "auth_url": "https://ngw.devices.sberbank.ru:9443/api/v2/oauth",
    "scope": "GIGACHAT_API_B2B",
    "ca_file": "",
    "concurrent": 10,
    "stream": True,
    "headers": {},
    "extra": {},
}
#: a token is renewed so long before its end, and lives so long where its end makes no sense by our clock
EARLY, LIFE = 60.0, 1_800.0
#: how often those who wait look again
LOOK = 0.05


class _Refused(Exception):
    """The vendor answered with an error."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response = response
        try:
            self.body = json.loads(response.read())
        except (ValueError, RecursionError):
            self.body = None


_FAULTS = shared.Faults(errors=(_Refused,))


class GigaChat:
    """The dialect."""

    name = NAME
    defaults = DEFAULTS

    def ask(self, prompt: Prompt, *, profile: Profile, seconds: float, hear: Callable[[str], None] | None) -> Answer:
        options = {**DEFAULTS, **profile.options}
        body = self.request(prompt, profile=profile, options=options)
        streamed = hear is not None and bool(options["stream"])
        account = Account(profile.key, str(options["auth_url"]), str(options["scope"]), str(options["ca_file"] or ""))

        def speak(ear: Ear) -> Answer:
            with _line(account, int(options["concurrent"]), ear.clock):
                return self._asked(body, account, prompt, profile, options, ear, streamed=streamed)

        return shared.listen(
            speak,
            prompt=prompt,
            profile=profile,
            seconds=seconds,
            hear=hear if streamed else None,
            faults=_FAULTS,
            at_home=True,
        )

    # --- what is sent -------------------------------------------------------------------------------------------

    def request(self, prompt: Prompt, *, profile: Profile, options: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a request."""
        asked: dict[str, Any] = {
            "model": profile.model,
            "messages": self._messages(prompt, profile),
            "max_tokens": profile.answer_tokens,
        }
        if prompt.tools:
            asked["functions"] = [
                {"name": tool.name, "description": tool.description, "parameters": tool.schema} for tool in prompt.tools
            ]
            asked["function_call"] = "auto"
        temperature = options.get("temperature", prompt.temperature)
        if temperature is not None:
            asked["temperature"] = max(float(temperature), 0.001)  # nought is refused
        return {**asked, **options["extra"]}

    def _messages(self, prompt: Prompt, profile: Profile) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        if prompt.system:
            messages.append({"role": "system", "content": prompt.system})
        for part in shared.exchanges(prompt, mine=lambda raw: shared.own(raw, NAME, profile)):
            if isinstance(part, Exchange):
                messages += _exchange(part)
            elif messages and messages[-1]["role"] == part.role and "function_call" not in messages[-1]:
                messages[-1] = {"role": part.role, "content": f"{messages[-1]['content']}\n\n{part.text}"}
            else:
                messages.append({"role": part.role, "content": part.text})
        return messages

    # --- what comes back ----------------------------------------------------------------------------------------

    def _asked(
        self,
        body: dict[str, Any],
        account: Account,
        prompt: Prompt,
        profile: Profile,
        options: Mapping[str, Any],
        ear: Ear,
        *,
        streamed: bool,
    ) -> Answer:
        client = _client(os.getpid(), account.ca_file, profile.base_url or str(options["base_url"]))
        url = f"{(profile.base_url or str(options['base_url'])).rstrip('/')}/chat/completions"
        content = json.dumps({**body, "stream": True} if streamed else body, ensure_ascii=False).encode()
        request_id = str(uuid.uuid4())
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream" if streamed else "application/json",
            "X-Request-ID": request_id,
            # its cache goes by the conversation
            **({"X-Session-ID": prompt.thread} if prompt.thread else {}),
            **options["headers"],
        }
        token = account.token(ear.clock)
        for again in (False, True):
            told = {**headers, "Authorization": f"Bearer {token}"}
            with client.stream("POST", url, content=content, headers=told) as response:
                if response.status_code == 401 and not again:
                    response.read()
                    token = account.token(ear.clock, stale=token)
                    continue
                if response.status_code != 200:
                    raise _Refused(response)
                heard = _Heard(ear)
                if streamed:
                    self._listen(response, heard)
                else:
                    heard.whole(json.loads(response.read()))
                return self._answer(heard, prompt, profile, request_id, streamed=streamed)
        raise AssertionError("the second answer is always taken")

    def _listen(self, response: httpx2.Response, heard: _Heard) -> None:
        ear = heard.ear
        try:
            for line in response.iter_lines():
                name, _, data = line.partition(":")
                if name != "data":
                    continue
                if data.strip() == "[DONE]":
                    break
                heard.event(json.loads(data))
                if heard.reason:
                    ear.end(shared.LAST_BYTES if heard.usage else shared.AFTER_THE_END)
        except (httpx2.RequestError, ValueError):
            if not ear.complete:
                raise
        if not heard.events:
            raise ModelFailed(Failure.MALFORMED, "the answer is no stream")
        if not heard.reason:
            if heard.choices:
                raise ModelFailed(Failure.BROKEN, "the stream ended before its end", usage=heard.usage)
            raise ModelFailed(Failure.MALFORMED, "the answer has no choices", usage=heard.usage)

    def _answer(self, heard: _Heard, prompt: Prompt, profile: Profile, request_id: str, *, streamed: bool) -> Answer:
        if heard.reason == "blacklist":
            raise ModelFailed(Failure.FILTERED, "the vendor's filter refused", usage=heard.usage)
        calls: list[Call] = []
        step: dict[str, Any] = {"role": "assistant", "content": heard.ear.text}
        if heard.call is not None:
            given = "{" if heard.reason == "error" else heard.call.get("arguments")  # the vendor's own verdict on them
            made = shared.call(heard.call.get("name"), given)
            calls.append(made)
            step["function_call"] = {"name": made.name, "arguments": dict(made.arguments)}
            if heard.state:
                step["functions_state_id"] = heard.state
        elif heard.reason == "error":
            raise ModelFailed(Failure.MALFORMED, "the model's call can't be read", usage=heard.usage)
        return shared.answered(
            ear=heard.ear,
            prompt=prompt,
            calls=calls,
            usage=heard.usage,
            cut=heard.reason == "length",
            raw=shared.mark(NAME, profile, step),
            streamed=streamed,
            request_id=heard.ear.clock.request_id or request_id,
        )


@dataclass
class _Heard:
    """What has come of an answer so far."""

    ear: Ear
    reason: str = ""
    usage: Usage | None = None
    call: Mapping[str, Any] | None = None
    state: str = ""
    events: int = 0
    choices: int = 0

    def whole(self, answer: Mapping[str, Any]) -> None:
        """An answer without a stream."""
        self.usage = _usage(answer.get("usage"))
        if not answer["choices"]:
            raise ModelFailed(Failure.MALFORMED, "the answer has no choices", usage=self.usage)
        choice = answer["choices"][0]
        self._take(choice["message"])
        self.reason = choice.get("finish_reason") or "stop"

    def event(self, event: Mapping[str, Any]) -> None:
        """One event of a stream."""
        if "choices" not in event:
            raise shared.refused("it", shared.number(event.get("status")) or 200, event, at_home=True)
        self.events += 1
        self.usage = _usage(event.get("usage")) or self.usage
        for choice in (event["choices"] or ())[:1]:
            self.choices += 1
            self._take(choice.get("delta") or {})
            self.reason = choice.get("finish_reason") or self.reason

    def _take(self, said: Mapping[str, Any]) -> None:
        if said.get("role") == "function_in_progress":
            return  # how long a built-in function still takes
        self.ear.words(said.get("content"))
        if isinstance(call := said.get("function_call"), Mapping):
            self.call = call
        if isinstance(state := said.get("functions_state_id"), str):
            self.state = state


def _usage(usage: Any) -> Usage | None:
    """Tokens read from the cache aren't among those of the prompt here."""
    if not isinstance(usage, Mapping):
        return None
    cached = shared.number(usage.get("precached_prompt_tokens"))
    prompt = shared.number(usage.get("prompt_tokens"))
    answer = shared.number(usage.get("completion_tokens"))
    return Usage(prompt=prompt + cached, cached=cached, answer=answer) if prompt or answer else None


def _exchange(part: Exchange) -> list[dict[str, Any]]:
    """Calls and their results one after another: an answer of this vendor can hold one call only."""
    messages: list[dict[str, Any]] = []
    steps = [part.raw] if part.raw else _steps(part.called)
    for step, result in zip(steps, part.results, strict=False):
        messages += [step, {"role": "function", "name": step["function_call"]["name"], "content": _object(result)}]
    return messages


def _steps(called: Called) -> list[dict[str, Any]]:
    return [
        {
            "role": "assistant",
            "content": "" if place else called.text,
            "function_call": {"name": call.name, "arguments": dict(call.arguments)},
        }
        for place, call in enumerate(called.calls)
    ]


def _object(result: Returned) -> str:
    """A result as the JSON object in a string that it must be."""
    try:
        if isinstance(json.loads(result.text), dict):
            return result.text
    except (ValueError, RecursionError):
        pass
    return json.dumps({"error" if result.failed else "result": result.text}, ensure_ascii=False)


# --- the account ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """Who we are to the vendor. Its token is shared by all processes, and asked for by one of them at a time."""

    key: str = field(repr=False)
    auth_url: str
    scope: str
    ca_file: str = ""

    @property
    def name(self) -> str:
        """Says nothing of the key."""
        return hashlib.blake2b(self._secret.encode(), digest_size=12).hexdigest()

    def shared(self, clock: wire.Call) -> SharedToken:
        """Its token among all processes; who asks for a new one has the time of its call for it."""
        return SharedToken(NAME, self._secret, lambda: self._new_token(clock), early=EARLY)

    def token(self, clock: wire.Call, *, stale: str = "") -> str:
        """A token that is good for a while yet; ``stale`` is one that the vendor no longer takes."""
        try:
            return self.shared(clock).get(stale=stale, within=clock.left - LOOK)
        except TemporaryProblem:
            raise ModelFailed(Failure.TIMEOUT, "no token in time") from None

    @property
    def _secret(self) -> str:
        return "\n".join((self.key, self.auth_url, self.scope))

    def _new_token(self, clock: wire.Call) -> tuple[str, float]:
        response = _client(os.getpid(), self.ca_file, self.auth_url).post(
            self.auth_url,
            data={"scope": self.scope},
            headers={"Authorization": f"Basic {self.key}", "RqUID": str(uuid.uuid4()), "Accept": "application/json"},
        )
        if response.status_code in {400, 403}:  # the key, or a scope that isn't its contract's
            raise ModelFailed(Failure.KEY, f"no token is given: {response.status_code}")
        if response.status_code != 200:
            raise _Refused(response)
        clock.answered, clock.status, clock.request_id = False, 0, ""  # of the model itself nothing has come yet
        given = response.json()
        token = given["access_token"]
        if not isinstance(token, str) or not token.isascii() or not token.strip():
            raise TypeError("token")
        return token, _life(given.get("expires_at"))


def _life(ends: object) -> float:
    """Seconds that a token lives; its end is told in milliseconds, and in the vendor's examples in seconds."""
    if not isinstance(ends, (int, float)) or isinstance(ends, bool):
        return LIFE
    life = (ends / 1000 if ends > 1e11 else ends) - time.time()
    return life if 0 < life <= 2 * LIFE else LIFE


@contextmanager
def _line(account: Account, most: int, clock: wire.Call) -> Iterator[None]:
    """One of the calls that the contract allows at once. A process that dies frees its own."""
    first = os.getpid()
    waits_until = time.monotonic() + clock.left / 2
    while True:
        for place in range(most):
            with locks.session_lock_where_possible(f"gigachat-line-{account.name}-{(first + place) % most}") as mine:
                if mine:
                    yield
                    return
        if time.monotonic() > waits_until:
            raise ModelFailed(Failure.LIMITED, f"all {most} calls that may be made at once are being made")
        time.sleep(LOOK)


@lru_cache(maxsize=8)
def _client(pid: int, ca_file: str, address: str) -> httpx2.Client:
    """One client a process and address: it keeps its connections, which a fork must not share."""
    try:
        return wire.client(ca_file=ca_file)
    except OSError:
        raise ModelFailed(Failure.CONNECTION, "the file of trusted roots can't be read") from None
