"""A server on loopback that stands for Anthropic's Messages. ``vendor.url`` is its root.

See ``model_vendor`` for how answers are scripted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from tests.standins.model_vendor import BROKEN_JSON, ModelStandIn, Say, Trouble, schema_faults, serve, type_faults

__all__ = ["AnthropicMessages", "Say", "Trouble"]

_FILE = "messages.openapi.json"
_ERRORS: dict[str, tuple[int, str, str]] = {
    "busy": (429, "rate_limit_error", "This request would exceed your rate limit."),
    "busy_quiet": (429, "rate_limit_error", "This request would exceed your rate limit."),
    "broken": (500, "api_error", "Internal server error"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "bad_key": (401, "authentication_error", "invalid x-api-key"),
    "country": (403, "forbidden", "Request not allowed"),
    "forbidden": (403, "permission_error", "Your API key does not have permission."),
    "retired": (404, "not_found_error", "model: demo-model"),
    "no_money": (402, "billing_error", "Your credit balance is too low."),
    "too_long": (400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    "bad_request": (400, "invalid_request_error", "messages: at least one message is required"),
}


class AnthropicMessages(ModelStandIn):
    """The vendor. ``keeps_cache`` lets it count what its cache would hold, by the marks of the requests."""

    def __init__(self, mode: str = "good", *, port: int = 0, keeps_cache: bool = False) -> None:
        super().__init__(mode, port=port)
        self.url = self.root
        self.keeps_cache = keeps_cache
        self._kept: set[str] = set()

    def answer_headers(self) -> dict[str, str]:
        return {"request-id": "req_demo1"}

    def _blocks(self, say: Say) -> list[dict[str, Any]]:
        thought = [{"type": "thinking", "thinking": say.thinking, "signature": "c2ln"}] if say.thinking else []
        said = [{"type": "text", "text": say.text, "citations": None}] if say.text else []
        return [
            *thought,
            *said,
            *(
                {
                    "type": "tool_use",
                    "id": f"toolu_demo{len(self.asked)}_{place}",
                    "name": name,
                    "input": given if isinstance(given, dict) else {},
                }
                for place, (name, given) in enumerate(say.calls)
            ),
        ]

    def _usage(self, say: Say, body: dict[str, Any]) -> dict[str, Any]:
        read, written, rest = say.cached_tokens, 0, say.prompt_tokens - say.cached_tokens
        if self.keeps_cache:
            read, written, rest = self._cached(body)
        return {
            "input_tokens": rest,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "output_tokens": say.answer_tokens,
        }

    def _cached(self, body: dict[str, Any]) -> tuple[int, int, int]:
        """Tokens read from a cache, written there, and neither; a token is four characters here."""
        told, marks = "", []
        for block in (*body.get("tools", ()), *body.get("system", ()), *_blocks_of(body["messages"])):
            marked = "cache_control" in block
            told += json.dumps({key: value for key, value in block.items() if key != "cache_control"}, sort_keys=True)
            if marked:
                marks.append(told)
        # a prefix is found at any mark of an earlier request that is a beginning of this one
        read = max((len(kept) for kept in self._kept if told.startswith(kept)), default=0)
        self._kept.update(marks)
        last = max(map(len, marks), default=0)
        return read // 4, max(0, last - read) // 4, (len(told) - max(last, read)) // 4

    def whole(self, say: Say, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": "msg_demo1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": self._blocks(say),
            "stop_reason": _finish(say),
            "stop_sequence": None,
            "usage": self._usage(say, body),
        }

    def events(self, say: Say, body: dict[str, Any]) -> list[Any]:
        start = {**self.whole(say, body), "content": [], "stop_reason": None}
        usage = start["usage"]
        start["usage"] = {**usage, "output_tokens": 1}
        events: list[Any] = [{"type": "message_start", "message": start}]
        given = [each for _, each in say.calls]
        for index, block in enumerate(self._blocks(say)):
            events.append({"type": "content_block_start", "index": index, "content_block": _emptied(block)})
            if index == 0:
                events.append({"type": "ping"})
            for delta in _deltas(block, given, say.piece):
                events.append({"type": "content_block_delta", "index": index, "delta": delta})
            events.append({"type": "content_block_stop", "index": index})
        events.append(
            {
                "type": "message_delta",
                "delta": {"stop_reason": _finish(say), "stop_sequence": None},
                "usage": {"output_tokens": usage["output_tokens"]},
            }
        )
        return [*events, {"type": "message_stop"}]

    def framed(self, event: Any) -> bytes:
        return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()

    def more(self, body: dict[str, Any]) -> Any:
        return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "да "}}

    def refusal(self, kind: str) -> tuple[int, Any]:
        status, type_, message = _ERRORS[kind]
        return status, {"type": "error", "error": {"type": type_, "message": message}, "request_id": "req_demo1"}

    def spoil(self, answer: Any, kind: str, *, streamed: bool) -> Any:
        if kind == "error_in_stream":
            _, error = self.refusal("overloaded")
            return [*answer[:4], error] if streamed else error
        if kind == "no_finish":
            if not streamed:
                return {**answer, "content": []}
            return [event for event in answer if event["type"] not in {"message_delta", "message_stop"}]
        if kind in {"empty_choices", "silent", "filtered"}:
            if not streamed:
                answer["content"] = []
            else:
                answer = [event for event in answer if not event["type"].startswith("content_block")]
        if kind == "filtered":
            for event in answer if streamed else [answer]:
                held = event.get("delta", event)
                if held.get("stop_reason"):
                    held["stop_reason"] = "refusal"
        if kind == "broken_json" and not streamed:
            answer["content"][-1]["input"] = BROKEN_JSON  # no server says this; still, it must do no harm
        return answer

    def request_faults(self, path: str, headers: Mapping[str, str], body: Any) -> list[str]:
        faults = []
        if path != "/v1/messages":
            faults.append(f"path {path}")
        if headers.get("anthropic-version") not in {"2026-10-21", "2023-06-01"}:
            faults.append("no version")
        if "x-api-key" not in headers and len(headers.get("authorization", "")) < 10:
            faults.append("no key")
        name = "MessageCreateParamsStreaming" if body.get("stream") else "MessageCreateParamsNonStreaming"
        faults += type_faults(_request(bool(body.get("stream"))), body)
        faults += schema_faults("anthropic", _FILE, name, body)
        return faults + _dialogue_faults(body, headers)

    def answer_faults(self, answer: Any) -> list[str]:
        if answer["type"] == "ping":
            return []
        name = "Message" if answer["type"] == "message" else "RawMessageStreamEvent"
        return type_faults(_response(answer["type"] == "message"), answer) + schema_faults(
            "anthropic", _FILE, name, answer
        )


def _finish(say: Say) -> str:
    return say.finish or ("tool_use" if say.calls else "end_turn")


def _emptied(block: dict[str, Any]) -> dict[str, Any]:
    empty = {"text": {"text": ""}, "tool_use": {"input": {}}, "thinking": {"thinking": "", "signature": ""}}
    return {**block, **empty[block["type"]]}


def _deltas(block: dict[str, Any], given: list[Any], piece: int) -> list[dict[str, Any]]:
    if block["type"] == "text":
        return [
            {"type": "text_delta", "text": block["text"][start : start + piece]}
            for start in range(0, len(block["text"]), piece)
        ]
    if block["type"] == "thinking":
        return [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    arguments = given[int(block["id"].rpartition("_")[2])]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False) if arguments else ""
    return [
        {"type": "input_json_delta", "partial_json": text[start : start + 6]} for start in range(0, len(text), 6)
    ] or [{"type": "input_json_delta", "partial_json": ""}]


def _blocks_of(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        block
        for message in messages
        for block in (
            [{"type": "text", "text": message["content"]}]
            if isinstance(message["content"], str)
            else message["content"]
        )
    ]


def _dialogue_faults(body: dict[str, Any], headers: Mapping[str, str]) -> list[str]:
    """What the vendor's pages say beside the schema, and answers with 400."""
    faults = []
    messages = body["messages"]
    if not messages or messages[0]["role"] != "user" or messages[-1]["role"] != "user":
        faults.append("the first and the last word isn't the user's")
    owed: list[str] = []
    for message in messages:
        blocks = _blocks_of([message])
        if message["role"] == "user":
            results = [block["tool_use_id"] for block in blocks[: len(owed)] if block["type"] == "tool_result"]
            if results != owed or any(block["type"] == "tool_result" for block in blocks[len(owed) :]):
                faults.append("a call without its result, or a result of no call")
            owed = []
        else:
            if owed:
                faults.append("a call without its result")
            owed = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if owed:
        faults.append("a call without its result")
    everything = (*body.get("tools", ()), *body.get("system", ()), *_blocks_of(messages))
    if sum("cache_control" in block for block in everything) > 4:
        faults.append("more than four marks for the cache")
    if any(block["type"] == "text" and not block["text"].strip() for block in _blocks_of(messages)):
        faults.append("an empty text")
    if any(not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool["name"]) for tool in body.get("tools", ())):
        faults.append("the name of a tool")
    if headers.get("anthropic-version") == "2026-10-21" and {"temperature", "top_p", "top_k"} & set(body):
        faults.append("this version knows no temperature")
    return faults


@lru_cache
def _request(streamed: bool) -> TypeAdapter[Any]:
    from anthropic.types import message_create_params as params

    return TypeAdapter(params.MessageCreateParamsStreaming if streamed else params.MessageCreateParamsNonStreaming)


@lru_cache
def _response(whole: bool) -> TypeAdapter[Any]:
    from anthropic.types import Message, RawMessageStreamEvent

    return TypeAdapter(Message if whole else RawMessageStreamEvent)


if __name__ == "__main__":
    serve(AnthropicMessages())
