"""A server on loopback that stands for OpenAI's Chat Completions, or with ``quirks="yandex"`` for YandexGPT.

``vendor.url`` is the base address (it ends in ``/v1``). See ``model_vendor`` for how answers are scripted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from tests.standins.model_vendor import ModelStandIn, Say, Trouble, schema_faults, serve, type_faults

__all__ = ["OpenAIChat", "Say", "Trouble"]

_ERRORS: dict[str, tuple[int, str, str | None, str]] = {
    # status, type, code, message
    "busy": (429, "requests", "rate_limit_exceeded", "Rate limit reached."),
    "busy_quiet": (429, "requests", "rate_limit_exceeded", "Rate limit reached."),
    "broken": (500, "server_error", None, "The server had an error."),
    "overloaded": (529, "server_error", None, "Overloaded."),
    "bad_key": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-neve*****1234."),
    "country": (403, "request_forbidden", "unsupported_country_region_territory", "Country not supported."),
    "forbidden": (403, "invalid_request_error", "insufficient_permissions", "You have no access."),
    "retired": (404, "invalid_request_error", "model_not_found", "The model does not exist."),
    "no_money": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "too_long": (400, "invalid_request_error", "context_length_exceeded", "The maximum context length is 8 tokens."),
    "bad_request": (400, "invalid_request_error", None, "Unknown parameter: 'x'."),
}


class OpenAIChat(ModelStandIn):
    """The vendor; ``quirks`` is "" or "yandex"."""

    def __init__(self, mode: str = "good", *, port: int = 0, quirks: str = "") -> None:
        super().__init__(mode, port=port)
        self.quirks = quirks
        self.url = f"{self.root}/v1"

    @property
    def yandex(self) -> bool:
        return self.quirks == "yandex"

    def _calls(self, say: Say, *, placed: bool) -> list[dict[str, Any]]:
        return [
            {
                **({"index": place} if placed else {}),
                "id": name if self.yandex else f"call_demo{len(self.asked)}_{place}",
                "type": "function",
                "function": {"name": name, "arguments": _arguments(given)},
            }
            for place, (name, given) in enumerate(say.calls)
        ]

    def _base(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        name = "6f1d0c52-0000-4a11-9a11-2f3e4d5c6b7a" if self.yandex else "chatcmpl-demo1"
        return {"id": name, "object": kind, "created": 1763800000, "model": body["model"]}

    def whole(self, say: Say, body: dict[str, Any]) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": say.text or None}
        if not self.yandex:
            message["refusal"] = None
        if say.calls:
            message["tool_calls"] = self._calls(say, placed=self.yandex)
        choice: dict[str, Any] = {"index": 0, "finish_reason": _finish(say), "message": message}
        if not self.yandex:
            choice["logprobs"] = None
        return {**self._base("chat.completion", body), "choices": [choice], "usage": self._usage(say)}

    def _usage(self, say: Say) -> dict[str, Any]:
        usage: dict[str, Any] = {
            "prompt_tokens": say.prompt_tokens,
            "completion_tokens": say.answer_tokens,
            "total_tokens": say.prompt_tokens + say.answer_tokens,
        }
        if not self.yandex:
            usage["prompt_tokens_details"] = {"cached_tokens": say.cached_tokens}
        return usage

    def events(self, say: Say, body: dict[str, Any]) -> list[Any]:
        base = self._base("chat.completion.chunk", body)
        counted = bool((body.get("stream_options") or {}).get("include_usage")) and not self.yandex

        def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            made = {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
            return {**made, "usage": None} if counted else made

        events: list[Any] = [chunk({"role": "assistant", "content": ""})]
        events += [
            chunk({"content": say.text[start : start + say.piece]}) for start in range(0, len(say.text), say.piece)
        ]
        for call in self._calls(say, placed=True):
            given = call["function"]["arguments"]
            if self.yandex:
                events.append(chunk({"tool_calls": [call]}))
                continue
            events.append(chunk({"tool_calls": [{**call, "function": {**call["function"], "arguments": ""}}]}))
            events += [
                chunk({"tool_calls": [{"index": call["index"], "function": {"arguments": given[start : start + 6]}}]})
                for start in range(0, len(given), 6)
            ]
        events.append(chunk({}, _finish(say)))
        if counted:
            events.append({**base, "choices": [], "usage": self._usage(say)})
        return [*events, "[DONE]"]

    def more(self, body: dict[str, Any]) -> Any:
        choice = {"index": 0, "delta": {"content": "да "}, "finish_reason": None}
        return {**self._base("chat.completion.chunk", body), "choices": [choice]}

    def refusal(self, kind: str) -> tuple[int, Any]:
        status, type_, code, message = _ERRORS[kind]
        if self.yandex:
            return (503 if status == 529 else status), {"code": 16, "message": message}
        return status, {"error": {"message": message, "type": type_, "param": None, "code": code}}

    def spoil(self, answer: Any, kind: str, *, streamed: bool) -> Any:
        if kind == "error_in_stream":
            error = {"error": {"message": "oops", "type": "server_error", "param": None, "code": None}}
            return [*answer[:2], error] if streamed else error
        if kind == "no_finish" and streamed:
            return [event for event in answer[:-1] if event["choices"] and not event["choices"][0]["finish_reason"]]
        for event in [each for each in answer if isinstance(each, dict)] if streamed else [answer]:
            if kind == "empty_choices":
                event["choices"] = []
            for choice in event["choices"]:
                held = choice["delta" if streamed else "message"]
                if kind in {"silent", "filtered"} and held.get("content"):
                    held["content"] = ""
                if kind == "filtered" and choice["finish_reason"]:
                    choice["finish_reason"] = "content_filter"
                if kind == "no_finish":
                    choice["finish_reason"], held["content"] = None, None
        return answer

    def request_faults(self, path: str, headers: Mapping[str, str], body: Any) -> list[str]:
        faults = []
        if path != "/v1/chat/completions":
            faults.append(f"path {path}")
        if len(headers.get("authorization", "")) < 10 or not headers["authorization"].startswith("Bearer "):
            faults.append("no key")
        faults += type_faults(_request(bool(body.get("stream"))), body)
        faults += _dialogue_faults(body["messages"])
        if self.yandex:
            faults += schema_faults("yandexgpt", "openai-compat.openapi.yaml", "ChatRequest", body)
            if headers.get("x-data-logging-enabled") != "false":
                faults.append("the vendor would keep what was said")
            strange = {"max_completion_tokens", "stream_options", "safety_identifier", "prompt_cache_key"} & set(body)
            return faults + [f"YandexGPT doesn't know {name}" for name in sorted(strange)]
        return faults + schema_faults("openai", "openapi.subset.yaml", "CreateChatCompletionRequest", body)

    def answer_faults(self, answer: Any) -> list[str]:
        if answer == "[DONE]":
            return []
        streamed = answer["object"] == "chat.completion.chunk"
        if self.yandex:
            name = "ChatChunk" if streamed else "ChatResponse"
            return schema_faults("yandexgpt", "openai-compat.openapi.yaml", name, answer)
        faults = type_faults(_response(streamed), answer)
        name = "CreateChatCompletionStreamResponse" if streamed else "CreateChatCompletionResponse"
        if streamed:  # its text and its SDK say that both may be null, its schema forgets it
            answer = {key: value for key, value in answer.items() if key != "usage" or value}
            answer["choices"] = [
                {**each, "finish_reason": each["finish_reason"] or "stop"} for each in answer["choices"]
            ]
        return faults + schema_faults("openai", "openapi.subset.yaml", name, answer)


def _arguments(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _finish(say: Say) -> str:
    return say.finish or ("tool_calls" if say.calls else "stop")


def _dialogue_faults(messages: list[dict[str, Any]]) -> list[str]:
    """Each call must be answered at once and once: else the vendor says 400."""
    faults, owed = [], []
    for message in messages:
        if message["role"] == "tool":
            if not owed or message["tool_call_id"] != owed.pop(0):
                faults.append("a result of no call")
            continue
        if owed:
            faults.append("a call without its result")
        owed = [call["id"] for call in message.get("tool_calls") or ()]
        if any(len(name) > 40 for name in owed):
            faults.append("the id of a call is too long")
    return faults + (["a call without its result"] if owed else [])


@lru_cache
def _request(streamed: bool) -> TypeAdapter[Any]:
    from openai.types.chat import completion_create_params as params

    return TypeAdapter(
        params.CompletionCreateParamsStreaming if streamed else params.CompletionCreateParamsNonStreaming
    )


@lru_cache
def _response(streamed: bool) -> TypeAdapter[Any]:
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    return TypeAdapter(ChatCompletionChunk if streamed else ChatCompletion)


if __name__ == "__main__":
    serve(OpenAIChat())
