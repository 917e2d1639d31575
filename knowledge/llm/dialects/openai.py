"""OpenAI's Chat Completions through the official SDK, and all who speak them: YandexGPT, resellers, Ollama, vLLM.

What a server knows or doesn't is options, a profile's own over those of its dialect's name:

``answer_limit``  what the limit of an answer is called: ``max_completion_tokens`` or ``max_tokens``
``system_role``   ``system``, or ``developer``
``stream``        whether it streams, and ``stream_usage`` whether it counts tokens then
``tool_ids``      whether its ids of calls differ from each other
``strict_tools``  whether schemas may be marked ``strict`` where they can be
``parallel_tools``   false forbids several calls in one answer
``temperature``, ``reasoning_effort``   sent only where they are set: many a model refuses them
``cache_key``     whether to tell an opaque name of the conversation, by which caches find their machine and abuse is
                  told apart; unset, only OpenAI's own address is told it
``headers``       more headers
``project``, ``organization``   of the account
``extra``         more of the request's body
``at_home``       the vendor serves this country, so what it forbids is the key's fault
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import openai
from openai import Omit

from common import wire
from knowledge.llm.chat import Answer, Called, Failure, ModelFailed, Profile, Prompt, Usage
from knowledge.llm.dialects import shared
from knowledge.llm.dialects.schemas import can_be_strict, strictly
from knowledge.llm.dialects.shared import Ear, Exchange

#: OpenAI's own address
OWN = "https://api.openai.com/v1"
_COMMON: dict[str, Any] = {
    "base_url": OWN,
    "answer_limit": "max_completion_tokens",
    "system_role": "system",
    "stream": True,
    "stream_usage": True,
    "tool_ids": True,
    "strict_tools": False,
    "parallel_tools": True,
    "cache_key": None,
    "headers": {},
    "project": "",
    "organization": "",
    "extra": {},
    "at_home": False,
}
DEFAULTS: Mapping[str, dict[str, Any]] = {
    "openai": _COMMON,
    "yandexgpt": {
        **_COMMON,
        "base_url": "https://ai.api.cloud.yandex.net/v1",
        "answer_limit": "max_tokens",
        "tool_ids": False,
        "stream_usage": False,
        "headers": {"x-data-logging-enabled": "false"},  # else the vendor keeps what was said
        "at_home": True,
    },
}
_FAULTS = shared.Faults(
    timeouts=(openai.APITimeoutError,),
    connections=(openai.APIConnectionError,),
    errors=(openai.APIStatusError, openai.APIError),
)
_THINKING, _THOUGHT = "<think>", "</think>"


class OpenAI:
    """The dialect under one of its names."""

    def __init__(self, name: str = "openai") -> None:
        self.name = name
        self.defaults = DEFAULTS[name]

    def ask(self, prompt: Prompt, *, profile: Profile, seconds: float, hear: Callable[[str], None] | None) -> Answer:
        options = {**self.defaults, **profile.options}
        # what the vendor's own name always sends stays beside a profile's headers
        options["headers"] = {**self.defaults["headers"], **(profile.options.get("headers") or {})}
        request = self.request(prompt, profile=profile, options=options)
        client = client_for(profile, options)
        streamed = hear is not None and bool(options["stream"])

        def speak(ear: Ear) -> Answer:
            return (self._heard if streamed else self._read)(client, request, prompt, profile, options, ear)

        return shared.listen(
            speak,
            prompt=prompt,
            profile=profile,
            seconds=seconds,
            hear=hear if streamed else None,
            faults=_FAULTS,
            at_home=bool(options["at_home"]),
        )

    # --- what is sent -------------------------------------------------------------------------------------------

    def request(self, prompt: Prompt, *, profile: Profile, options: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the SDK's call."""
        asked: dict[str, Any] = {
            "model": profile.model,
            "messages": self._messages(prompt, profile, options),
            options["answer_limit"]: profile.answer_tokens,
        }
        if prompt.tools:
            asked["tools"] = [_tool(tool, strict=bool(options["strict_tools"])) for tool in prompt.tools]
            if not options["parallel_tools"]:
                asked["parallel_tool_calls"] = False
        temperature = options.get("temperature", prompt.temperature)
        if temperature is not None:
            asked["temperature"] = temperature
        if options.get("reasoning_effort"):
            asked["reasoning_effort"] = options["reasoning_effort"]
        if prompt.thread and self._told_the_thread(profile, options):
            asked["safety_identifier"] = asked["prompt_cache_key"] = prompt.thread
        if options["extra"]:
            asked["extra_body"] = dict(options["extra"])
        return asked

    def _told_the_thread(self, profile: Profile, options: Mapping[str, Any]) -> bool:
        if options["cache_key"] is None:
            return (profile.base_url or options["base_url"]).rstrip("/") == OWN
        return bool(options["cache_key"])

    def _messages(self, prompt: Prompt, profile: Profile, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        if prompt.system:
            messages.append({"role": options["system_role"], "content": prompt.system})
        for part in shared.exchanges(prompt, mine=lambda raw: shared.own(raw, self.name, profile)):
            if isinstance(part, Exchange):
                messages += _exchange(part, unique=bool(options["tool_ids"]))
            elif messages and messages[-1]["role"] == part.role and "tool_calls" not in messages[-1]:
                # templates of open models want the roles to alternate
                messages[-1] = {"role": part.role, "content": f"{messages[-1]['content']}\n\n{part.text}"}
            else:
                messages.append({"role": part.role, "content": part.text})
        return messages

    # --- what comes back ----------------------------------------------------------------------------------------

    def _read(
        self, client: Any, request: dict[str, Any], prompt: Prompt, profile: Profile, options: Any, ear: Ear
    ) -> Answer:
        completion = client.chat.completions.create(**request, timeout=_timeout(ear))
        if isinstance(error := getattr(completion, "error", None), Mapping):  # some gateways say 200 and mean an error
            raise shared.refused("it", 200, error, at_home=bool(options["at_home"]))
        if not completion.choices:
            raise ModelFailed(Failure.MALFORMED, "the answer has no choices", usage=_usage(completion))
        choice = completion.choices[0]
        heard = _Heard(ear, reason=choice.finish_reason or "stop", usage=_usage(completion))
        message = choice.message
        heard.refused = bool(message.refusal)
        heard.text(message.content)
        for each in message.tool_calls or ():
            heard.calls.append(_Piece(each.id or "", each.function.name, [each.function.arguments]))
        heard.flush()
        return self._answer(heard, prompt, profile, options, streamed=False)

    def _heard(
        self, client: Any, request: dict[str, Any], prompt: Prompt, profile: Profile, options: Any, ear: Ear
    ) -> Answer:
        if options["stream_usage"]:
            request = {**request, "stream_options": {"include_usage": True}}
        heard = _Heard(ear)
        with client.chat.completions.create(**request, stream=True, timeout=_timeout(ear)) as stream:
            try:
                for chunk in stream:
                    heard.chunk(chunk)
                    if heard.reason:
                        heard.flush()
                        ear.end()
                    if ear.complete and (heard.usage or not options["stream_usage"]):
                        ear.end(shared.LAST_BYTES)  # only "[DONE]" is left
                        next(stream, None)
                        break
            except (openai.APIError, ValueError):
                if not ear.complete:
                    raise
        heard.flush()
        if not heard.chunks:
            raise ModelFailed(Failure.MALFORMED, "the answer is no stream")
        if not heard.reason:
            if heard.choices:
                raise ModelFailed(Failure.BROKEN, "the stream ended before its end", usage=heard.usage)
            raise ModelFailed(Failure.MALFORMED, "the answer has no choices", usage=heard.usage)
        return self._answer(heard, prompt, profile, options, streamed=True)

    def _answer(self, heard: _Heard, prompt: Prompt, profile: Profile, options: Any, *, streamed: bool) -> Answer:
        if heard.refused or heard.reason == "content_filter":
            raise ModelFailed(Failure.FILTERED, "the vendor's filter refused", usage=heard.usage)
        calls = [shared.call(piece.name, piece.given, piece.id) for piece in heard.calls]
        step = {
            "role": "assistant",
            "content": heard.ear.text or None,
            "tool_calls": [
                {
                    "id": piece.id or made.id,
                    "type": "function",
                    # what isn't JSON some servers can't read back
                    "function": {"name": made.name, "arguments": "{}" if made.problem else piece.json},
                }
                for piece, made in zip(heard.calls, calls, strict=True)
            ],
        }
        return shared.answered(
            ear=heard.ear,
            prompt=prompt,
            calls=calls,
            usage=heard.usage,
            cut=heard.reason == "length",
            raw=shared.mark(self.name, profile, step),
            streamed=streamed,
        )


@dataclass
class _Piece:
    """A call as it comes together."""

    id: str
    name: Any
    arguments: list[Any]

    @property
    def given(self) -> Any:
        """The arguments: text mostly, an object from some servers."""
        if all(isinstance(each, str) or each is None for each in self.arguments):
            return "".join(each or "" for each in self.arguments)
        return next(each for each in self.arguments if not isinstance(each, str))

    @property
    def json(self) -> str:
        given = self.given
        return (given or "{}") if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


@dataclass
class _Heard:
    """What has come of an answer so far."""

    ear: Ear
    reason: str = ""
    usage: Usage | None = None
    refused: bool = False
    chunks: int = 0
    choices: int = 0
    calls: list[_Piece] = field(default_factory=list)
    _places: dict[int, _Piece] = field(default_factory=dict)
    #: the beginning of the text, as long as it may be a thought spoken aloud; None when that is decided
    _held: str | None = ""
    #: a thought has ended, and the lines between it and the words are still to come
    _leading: bool = False

    def chunk(self, chunk: Any) -> None:
        self.chunks += 1
        self.usage = _usage(chunk) or self.usage
        for choice in (chunk.choices or ())[:1]:
            self.choices += 1
            delta = choice.delta
            if delta is not None:
                self.refused = self.refused or bool(delta.refusal)
                self.text(delta.content)
                for each in delta.tool_calls or ():
                    self._call(each)
            self.reason = choice.finish_reason or self.reason

    def _call(self, each: Any) -> None:
        name, given = getattr(each.function, "name", None), getattr(each.function, "arguments", None)
        place = each.index if isinstance(each.index, int) else max(len(self.calls) - 1, 0)
        at = self._places.get(place)
        # some servers give every call the same place: another id or another whole call begins a new one
        new = at is None or (each.id and at.id and each.id != at.id) or (name and at.name and _whole(at))
        if new:
            at = self._places[place] = _Piece(each.id or "", name, [])
            self.calls.append(at)
        assert at is not None
        at.id, at.name = at.id or each.id or "", at.name or name
        if given is not None:
            self.ear.more(len(given) if isinstance(given, str) else 100)
            at.arguments.append(given)

    def text(self, piece: Any) -> None:
        """Words of the model; what it thinks aloud between its marks at the beginning is nobody's business."""
        if not isinstance(piece, str) or not piece:
            return
        if self._held is None:
            piece = piece.lstrip() if self._leading else piece
            self._leading = self._leading and not piece
            self.ear.words(piece)
            return
        self.ear.more(len(piece))
        self._held += piece
        start = self._held.lstrip()
        if start.startswith(_THINKING):
            _, ended, after = start.partition(_THOUGHT)
            if ended:
                self._held, self._leading = None, True
                self.text(after)
        elif not _THINKING.startswith(start):
            self.flush()

    def flush(self) -> None:
        """It was no thought, or there is nothing more."""
        held, self._held = self._held, None
        if held and not held.lstrip().startswith(_THINKING):
            self.ear.words(held)


def _whole(piece: _Piece) -> bool:
    return bool(piece.given) and not shared.arguments(piece.given)[1]


def _usage(answer: Any) -> Usage | None:
    usage = getattr(answer, "usage", None)
    if usage is None:
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    cached = shared.number(getattr(details, "cached_tokens", None))
    read = Usage(
        prompt=shared.number(getattr(usage, "prompt_tokens", None)),
        cached=cached,
        answer=shared.number(getattr(usage, "completion_tokens", None)),
    )
    return read if read.prompt or read.answer else None


def _tool(tool: Any, *, strict: bool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    if strict and can_be_strict(tool.schema):
        function |= {"parameters": strictly(tool.schema), "strict": True}
    return {"type": "function", "function": function}


def _exchange(part: Exchange, *, unique: bool) -> list[dict[str, Any]]:
    step = part.raw or _step(part.called, part.ids if unique else [call.name for call in part.called.calls])
    ids = [call["id"] for call in step["tool_calls"]]
    return [
        step,
        *(
            {"role": "tool", "tool_call_id": id, "content": result.text or "-"}
            for id, result in zip(ids, part.results, strict=False)
        ),
    ]


def _step(called: Called, ids: Any) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": called.text or None,
        "tool_calls": [
            {
                "id": id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)},
            }
            for id, call in zip(ids, called.calls, strict=True)
        ],
    }


# --- the client -------------------------------------------------------------------------------------------------


def _timeout(ear: Ear) -> Any:
    # of one read; the whole call ends by the clock of ``wire``
    return openai.Timeout(max(ear.clock.left, 0.001), connect=min(5.0, max(ear.clock.left, 0.001)))


def client_for(profile: Profile, options: Mapping[str, Any]) -> Any:
    """The client of this process for the profile's account."""
    headers = tuple(sorted((options["headers"] or {}).items()))
    return _client(
        os.getpid(),
        profile.key or "none",
        profile.base_url or options["base_url"],
        str(options["project"] or ""),
        str(options["organization"] or ""),
        headers,
    )


@lru_cache(maxsize=32)
def _client(
    pid: int, key: str, address: str, project: str, organization: str, headers: tuple[tuple[str, str], ...]
) -> Any:
    """One client a process and account: it keeps its connections, which a fork must not share."""
    more: dict[str, Any] = dict(headers)
    # the SDK would take these from the environment, for whatever server it speaks to
    more |= {} if organization else {"OpenAI-Organization": Omit()}
    more |= {} if project else {"OpenAI-Project": Omit()}
    return openai.OpenAI(
        api_key=key,
        base_url=address,
        project=project or None,
        organization=organization or None,
        default_headers=more,
        # repeats are the chain's: two clocks for one call are hard to reason about
        max_retries=0,
        http_client=wire.client(),
    )
