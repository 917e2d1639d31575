"""Anthropic's Messages through the official SDK, and resellers who speak them.

Options of a profile:

``stream``      whether the server streams
``prompt_cache``  whether to mark what its cache should keep, and ``cache_ttl`` for how long (``5m``, ``1h``)
``strict_tools``  whether schemas may be marked ``strict`` where they can be
``parallel_tools``  false forbids several calls in one answer
``effort``      how hard the model thinks, sent only where it is set
``headers``     more headers. A server written for the older API wants its key as ``x-api-key``, and then gets it there
                alone, and ``"anthropic-version": "2023-06-01"``
``extra``       more of the request's body, such as ``thinking``, or ``temperature``, which only that older API knows
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import anthropic
from anthropic import Omit

from common import wire
from knowledge.llm.chat import Answer, Called, Failure, ModelFailed, Profile, Prompt, Said, Usage
from knowledge.llm.dialects import shared
from knowledge.llm.dialects.schemas import can_be_strict, strictly
from knowledge.llm.dialects.shared import Ear

NAME = "anthropic"
DEFAULTS: Mapping[str, Any] = {
    "base_url": "https://api.anthropic.com",
    "stream": True,
    "prompt_cache": True,
    "cache_ttl": "",
    "strict_tools": False,
    "parallel_tools": True,
    "headers": {},
    "extra": {},
}
#: a conversation that begins with the assistant's own words is told from what came before them
BEGINNING = "…"
#: blocks that an answer's own step may hold when it is shown again
_KEPT = {"text", "tool_use", "thinking", "redacted_thinking"}
_FAULTS = shared.Faults(
    timeouts=(anthropic.APITimeoutError,),
    connections=(anthropic.APIConnectionError,),
    errors=(anthropic.APIStatusError,),
)


class Anthropic:
    """The dialect."""

    name = NAME
    defaults = DEFAULTS

    def ask(self, prompt: Prompt, *, profile: Profile, seconds: float, hear: Callable[[str], None] | None) -> Answer:
        options = {**DEFAULTS, **profile.options}
        request = self.request(prompt, profile=profile, options=options)
        client = client_for(profile, options)
        streamed = hear is not None and bool(options["stream"])

        def speak(ear: Ear) -> Answer:
            heard = _Heard(ear)
            if streamed:
                self._listen(client, request, heard)
            else:
                message = client.messages.create(**request, timeout=_timeout(ear))
                heard.message(message)
            return self._answer(heard, prompt, profile, streamed=streamed)

        return shared.listen(
            speak,
            prompt=prompt,
            profile=profile,
            seconds=seconds,
            hear=hear if streamed else None,
            faults=_FAULTS,
        )

    # --- what is sent -------------------------------------------------------------------------------------------

    def request(self, prompt: Prompt, *, profile: Profile, options: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the SDK's call."""
        asked: dict[str, Any] = {
            "model": profile.model,
            "max_tokens": profile.answer_tokens,
            "messages": self._messages(prompt, profile),
        }
        if prompt.system:
            asked["system"] = [{"type": "text", "text": prompt.system}]
        if prompt.tools:
            asked["tools"] = [_tool(tool, strict=bool(options["strict_tools"])) for tool in prompt.tools]
            if not options["parallel_tools"]:
                asked["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
        if prompt.thread:
            asked["metadata"] = {"user_id": prompt.thread}
        if options.get("effort"):
            asked["output_config"] = {"effort": options["effort"]}
        if options["extra"]:
            asked["extra_body"] = dict(options["extra"])
        if options["prompt_cache"]:
            _mark_for_cache(asked, str(options["cache_ttl"] or ""))
        return asked

    def _messages(self, prompt: Prompt, profile: Profile) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []

        def say(role: str, blocks: list[dict[str, Any]]) -> None:
            if messages and messages[-1]["role"] == role:
                messages[-1]["content"] += blocks
            else:
                messages.append({"role": role, "content": blocks})

        for part in shared.exchanges(prompt, mine=lambda raw: shared.own(raw, NAME, profile)):
            if isinstance(part, Said):
                if not messages and part.role == "assistant":
                    say("user", [{"type": "text", "text": BEGINNING}])
                # an assistant's last block may not end with a space
                say(part.role, [{"type": "text", "text": part.text.rstrip()}])
                continue
            if not messages:
                say("user", [{"type": "text", "text": BEGINNING}])
            step = [dict(block) for block in part.raw] if part.raw else _step(part.called, part.ids)
            ids = [block["id"] for block in step if block["type"] == "tool_use"]
            say("assistant", step)
            say("user", [_result(id, result) for id, result in zip(ids, part.results, strict=False)])
        return messages

    # --- what comes back ----------------------------------------------------------------------------------------

    def _listen(self, client: Any, request: dict[str, Any], heard: _Heard) -> None:
        ear = heard.ear
        with client.messages.create(**request, stream=True, timeout=_timeout(ear)) as stream:
            try:
                for event in stream:
                    heard.event(event)
                    if heard.reason and not ear.complete:
                        ear.end(shared.LAST_BYTES)  # only "message_stop" is left
            except Exception:
                if not ear.complete or ear.fault is not None:
                    raise
        if not heard.events:
            raise ModelFailed(Failure.MALFORMED, "the answer is no stream")
        if not heard.reason:
            raise ModelFailed(Failure.BROKEN, "the stream ended before its end", usage=heard.usage)

    def _answer(self, heard: _Heard, prompt: Prompt, profile: Profile, *, streamed: bool) -> Answer:
        reason = heard.reason
        if reason == "refusal":
            raise ModelFailed(Failure.FILTERED, "the model refused", usage=heard.usage)
        if reason == "model_context_window_exceeded" and not heard.ear.text.strip():
            raise ModelFailed(Failure.TOO_LONG, "the conversation is too long", usage=heard.usage)
        calls = [
            shared.call(block.get("name"), block["given"], block.get("id"))
            for block in heard.blocks
            if block["type"] == "tool_use"
        ]
        return shared.answered(
            ear=heard.ear,
            prompt=prompt,
            calls=calls,
            usage=heard.usage,
            cut=reason in {"max_tokens", "model_context_window_exceeded"},
            raw=shared.mark(NAME, profile, heard.step()),
            streamed=streamed,
        )


@dataclass
class _Heard:
    """What has come of an answer so far: its blocks, as the vendor names them."""

    ear: Ear
    reason: str = ""
    events: int = 0
    blocks: list[dict[str, Any]] = field(default_factory=list)
    _open: dict[int, dict[str, Any]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    #: the next words begin a block after other words
    _apart: bool = False

    @property
    def usage(self) -> Usage | None:
        counts = self._counts
        written, read = counts.get("cache_creation_input_tokens", 0), counts.get("cache_read_input_tokens", 0)
        made = Usage(
            prompt=counts.get("input_tokens", 0) + written + read,
            cached=read,
            answer=counts.get("output_tokens", 0),
            written=written,
        )
        return made if made.prompt or made.answer else None

    def count(self, usage: Any) -> None:
        for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"):
            if found := shared.number(getattr(usage, name, None)):
                self._counts[name] = found  # in a stream each count is of all until then

    def step(self) -> list[dict[str, Any]]:
        """The blocks as they must be shown again, unchanged."""
        return [
            {name: value for name, value in block.items() if name != "given"}
            for block in self.blocks
            if block["type"] in _KEPT and block.get("text", "-").strip()
        ]

    def message(self, message: Any) -> None:
        """A whole answer."""
        if not isinstance(message.content, list):
            raise TypeError("content")
        self.count(message.usage)
        self.reason = message.stop_reason or "end_turn"
        for given in message.content:
            block = self._begin(len(self.blocks), given)
            self._words(block.get("text"))
            self._end(block)

    def event(self, event: Any) -> None:
        """One event of a stream."""
        self.events += 1
        if event.type == "message_start":
            self.count(event.message.usage)
        elif event.type == "content_block_start":
            self._words(self._begin(event.index, event.content_block).get("text"))
        elif event.type == "content_block_delta":
            self._delta(self._open[event.index], event.delta)
        elif event.type == "content_block_stop":
            self._end(self._open.pop(event.index))
        elif event.type == "message_delta":
            self.count(event.usage)
            self.reason = event.delta.stop_reason or self.reason

    def _begin(self, index: int, block: Any) -> dict[str, Any]:
        made: dict[str, Any] = block.to_dict(mode="json", exclude_unset=True, warnings=False)
        if made["type"] == "tool_use":
            made["given"] = made.get("input")
        elif made["type"] == "text":
            made["text"] = shared.clean(made.get("text") or "")
            self._apart = bool(self.ear.text)
        self.blocks.append(made)
        self._open[index] = made
        return made

    def _words(self, piece: Any) -> None:
        if piece and self._apart:
            self._apart = False
            self.ear.words("\n\n")  # a block stands by itself
        self.ear.words(piece)

    def _delta(self, block: dict[str, Any], delta: Any) -> None:
        if delta.type == "text_delta":
            block["text"] += delta.text
            self._words(delta.text)
        elif delta.type == "input_json_delta":
            self.ear.more(len(delta.partial_json))
            block.setdefault("pieces", []).append(delta.partial_json)
        elif delta.type == "thinking_delta":
            self.ear.more(len(delta.thinking))
            block["thinking"] = block.get("thinking", "") + delta.thinking
        elif delta.type == "signature_delta":
            block["signature"] = delta.signature

    def _end(self, block: dict[str, Any]) -> None:
        if block["type"] != "tool_use":
            return
        pieces = block.pop("pieces", None)
        if pieces is not None:
            block["given"] = "".join(pieces)
        read, problem = shared.arguments(block["given"])
        block["input"] = {} if problem else read


def _tool(tool: Any, *, strict: bool) -> dict[str, Any]:
    made = {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
    if strict and can_be_strict(tool.schema):
        made |= {"input_schema": strictly(tool.schema), "strict": True}
    return made


def _step(called: Called, ids: tuple[str, ...]) -> list[dict[str, Any]]:
    said = [{"type": "text", "text": called.text.rstrip()}] if called.text.strip() else []
    return [
        *said,
        *(
            {"type": "tool_use", "id": id, "name": call.name, "input": dict(call.arguments)}
            for id, call in zip(ids, called.calls, strict=True)
        ),
    ]


def _result(id: str, result: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "tool_result", "tool_use_id": id}
    if result.text.strip():
        made["content"] = result.text
    if result.failed:
        made["is_error"] = True
    return made


def _mark_for_cache(asked: dict[str, Any], ttl: str) -> None:
    """Mark the ends of what will be sent again: tools and instructions, the conversation until now, and all of it.

    The first is the same for everybody. The second ends before the words to be answered, beside which a prompt may tell
    what it won't tell next time. The third is for the next step of the same turn.
    """
    mark = {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}
    stable = asked.get("system") or asked.get("tools")
    if stable:
        stable[-1] = {**stable[-1], "cache_control": mark}
    blocks = [
        (message["role"], message["content"], place)
        for message in asked["messages"]
        for place in range(len(message["content"]))
    ]
    asking = max(
        (
            number
            for number, (role, content, place) in enumerate(blocks)
            if role == "user" and content[place]["type"] == "text"
        ),
        default=0,
    )
    for number in {asking - 1, len(blocks) - 1}:
        if number >= 0:
            _, content, place = blocks[number]
            if content[place]["type"] not in {"thinking", "redacted_thinking"}:
                content[place] = {**content[place], "cache_control": mark}


# --- the client -------------------------------------------------------------------------------------------------


def _timeout(ear: Ear) -> Any:
    # of one read; the whole call ends by the clock of ``wire``
    return anthropic.Timeout(max(ear.clock.left, 0.001), connect=min(5.0, max(ear.clock.left, 0.001)))


def client_for(profile: Profile, options: Mapping[str, Any]) -> Any:
    """The client of this process for the profile's account."""
    headers = tuple(sorted((options["headers"] or {}).items()))
    return _client(os.getpid(), profile.key or "none", profile.base_url or options["base_url"], headers)


@lru_cache(maxsize=32)
def _client(pid: int, key: str, address: str, headers: tuple[tuple[str, str], ...]) -> Any:
    """One client a process and account: it keeps its connections, which a fork must not share."""
    more: dict[str, Any] = dict(headers)
    if any(name.lower() == "x-api-key" for name in more):
        more["Authorization"] = Omit()
    return anthropic.Anthropic(
        api_key=key,
        base_url=address,
        default_headers=more,
        # repeats are the chain's: two clocks for one call are hard to reason about
        max_retries=0,
        open_telemetry=False,  # the environment could make it write down what was said
        http_client=wire.client(),
    )
