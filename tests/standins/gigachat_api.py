"""A server on loopback that stands for GigaChat: its tokens and its chat.

``vendor.url`` is the base address of the chat, ``vendor.auth_url`` gives tokens. ``vendor.revoke()`` makes the given
ones useless. See ``model_vendor`` for how answers are scripted.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from tests.standins.model_vendor import ModelStandIn, Say, Trouble, Wire, schema_faults, serve

__all__ = ["GigaChatAPI", "Say", "Trouble"]

CREDENTIALS = "ZGVtbzpzZWNyZXQ="
_FILE = "openapi.v1.yaml"
_ERRORS: dict[str, tuple[int, str]] = {
    "busy": (429, "Too many requests"),
    "busy_quiet": (429, "Too many requests"),
    "broken": (500, "Internal server error"),
    "overloaded": (529, "Overloaded"),
    "bad_key": (401, "Token has expired"),
    "country": (403, "Permission denied"),
    "forbidden": (403, "Permission denied"),
    "retired": (404, "No such model"),
    "no_money": (402, "Payment required"),
    "too_long": (413, "Payload too large"),
    "bad_request": (422, "Invalid params: system message must be the first message"),
}
_STATE = "77d3fb14-457a-46ba-937e-8d856156d003"


class GigaChatAPI(ModelStandIn):
    """The vendor. ``life`` is how long its tokens live; ``token_mode`` makes giving them fail."""

    def __init__(self, mode: str = "good", *, port: int = 0) -> None:
        super().__init__(mode, port=port)
        self.url = f"{self.root}/api/v1"
        self.auth_url = f"{self.root}/api/v2/oauth"
        self.life = 1800.0
        self.in_seconds = False
        self.token_mode = "good"
        self.token_delay = 0.0
        #: how many were given, and which are good
        self.tokens_given = 0
        self.tokens: set[str] = set()
        #: calls at the same time, now and at most
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()

    def revoke(self) -> None:
        """No token given until now is taken any more."""
        self.tokens.clear()

    # --- tokens -------------------------------------------------------------------------------------------------

    def other(self, request: Wire, path: str, raw: bytes, headers: dict[str, str]) -> bool:
        if path == "/api/v2/oauth":
            self._give(request, raw, headers)
            return True
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            request.whole(401, json.dumps({"status": 401, "message": "Token has expired"}).encode(), {})
            return True
        return False

    def _give(self, request: Wire, raw: bytes, headers: dict[str, str]) -> None:
        form = parse_qs(raw.decode())
        with self._lock:
            self._faults += _token_faults(headers, form)
        if self.token_delay:
            self._stop.wait(self.token_delay)
        if self.token_mode != "good":
            status = {"bad_key": 401, "scope": 400, "busy": 429, "broken": 500}[self.token_mode]
            code = {"scope": 7}.get(self.token_mode, 6)
            request.whole(status, json.dumps({"code": code, "message": "credentials"}).encode(), {})
            return
        with self._lock:
            self.tokens_given += 1
            token = f"eyJdemo.{self.tokens_given}"
            self.tokens.add(token)
        ends = time.time() + self.life
        answer = {"access_token": token, "expires_at": int(ends if self.in_seconds else ends * 1000)}
        with self._lock:
            self._faults += schema_faults("gigachat", _FILE, "Token", answer)
        request.whole(200, json.dumps(answer).encode(), {})

    def answer(self, request: Wire) -> None:
        with self._counting:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            super().answer(request)
        finally:
            with self._counting:
                self.at_once -= 1

    # --- answers ------------------------------------------------------------------------------------------------

    def _base(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"object": kind, "created": 1763800000, "model": f"{body['model']}:2.0.28.2"}

    def _usage(self, say: Say) -> dict[str, Any]:
        prompt = say.prompt_tokens - say.cached_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": say.answer_tokens,
            "total_tokens": prompt + say.answer_tokens,
            "precached_prompt_tokens": say.cached_tokens,
        }

    def _call(self, say: Say) -> dict[str, Any]:
        if not say.calls:
            return {}
        name, given = say.calls[0]  # one at a time
        return {"functions_state_id": _STATE, "function_call": {"name": name, "arguments": given}}

    def whole(self, say: Say, body: dict[str, Any]) -> dict[str, Any]:
        message = {"role": "assistant", "content": say.text, **self._call(say)}
        choice = {"index": 0, "finish_reason": _finish(say), "message": message}
        return {**self._base("chat.completion", body), "choices": [choice], "usage": self._usage(say)}

    def events(self, say: Say, body: dict[str, Any]) -> list[Any]:
        def chunk(delta: dict[str, Any], finish: str = "") -> dict[str, Any]:
            choice: dict[str, Any] = {"index": 0, "delta": delta}
            if finish:
                choice["finish_reason"] = finish
            return {**self._base("chat.completion", body), "choices": [choice]}

        pieces = [say.text[start : start + say.piece] for start in range(0, len(say.text), say.piece)] or [""]
        events: list[Any] = [chunk({"role": "assistant", "content": piece}) for piece in pieces]
        if say.calls:
            events.append(chunk({"role": "assistant", "content": "", **self._call(say)}))
        return [*events, {**chunk({"content": ""}, _finish(say)), "usage": self._usage(say)}, "[DONE]"]

    def more(self, body: dict[str, Any]) -> Any:
        return {
            **self._base("chat.completion", body),
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": "да "}}],
        }

    def refusal(self, kind: str) -> tuple[int, Any]:
        status, message = _ERRORS[kind]
        return status, {"status": status, "message": message}

    def spoil(self, answer: Any, kind: str, *, streamed: bool) -> Any:
        if kind == "error_in_stream":
            error = {"status": 500, "message": "Internal server error"}
            return [*answer[:2], error] if streamed else error
        if kind == "no_finish" and streamed:
            return [each for each in answer[:-1] if not each["choices"][0].get("finish_reason")]
        for event in [each for each in answer if isinstance(each, dict)] if streamed else [answer]:
            if kind == "empty_choices":
                event["choices"] = []
            for choice in event["choices"]:
                if kind in {"silent", "no_finish"}:
                    choice["delta" if streamed else "message"]["content"] = ""
                if kind == "filtered" and choice.get("finish_reason"):
                    choice["finish_reason"] = "blacklist"
        return answer

    # --- the contract -------------------------------------------------------------------------------------------

    def request_faults(self, path: str, headers: Mapping[str, str], body: Any) -> list[str]:
        faults = [] if path == "/api/v1/chat/completions" else [f"path {path}"]
        faults += schema_faults("gigachat", _FILE, "Chat", body)
        roles = [message["role"] for message in body["messages"]]
        if "system" in roles[1:]:
            faults.append("a system message that isn't the first")
        if body.get("temperature") == 0:
            faults.append("no temperature")
        for before, message in zip([{}, *body["messages"]], body["messages"], strict=False):
            if message["role"] == "function":
                if not isinstance(json.loads(message["content"]), dict):
                    faults.append("the result of a function is no object")
                if (before.get("function_call") or {}).get("name") != message["name"]:
                    faults.append("a result of no call")
        for message, after in zip(body["messages"], [*body["messages"][1:], {}], strict=True):
            if "function_call" in message:
                if after.get("role") != "function":
                    faults.append("a call without its result")
                if not isinstance(message["function_call"]["arguments"], dict):
                    faults.append("arguments are no object")
        strange = set(body) & {"tools", "tool_choice", "max_completion_tokens", "stream_options"}
        return faults + [f"GigaChat doesn't know {name}" for name in sorted(strange)]

    def answer_faults(self, answer: Any) -> list[str]:
        if answer == "[DONE]":
            return []
        if "message" in answer["choices"][0]:
            return schema_faults("gigachat", _FILE, "ChatCompletion", answer)
        return schema_faults("gigachat", _FILE, "ChatCompletionStream", {"data": answer})


def _finish(say: Say) -> str:
    return say.finish or ("function_call" if say.calls else "stop")


def _token_faults(headers: Mapping[str, str], form: Mapping[str, list[str]]) -> list[str]:
    faults = []
    try:
        if uuid.UUID(headers.get("rquid", "")).version != 4:
            faults.append("RqUID is no uuid4")
    except ValueError:
        faults.append("no RqUID")
    if not headers.get("authorization", "").startswith("Basic "):
        faults.append("no key for a token")
    if headers.get("content-type") != "application/x-www-form-urlencoded":
        faults.append("a token is asked for by a form")
    if form.get("scope", [""])[0] not in {"GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP"}:
        faults.append("no scope")
    return faults


if __name__ == "__main__":
    serve(GigaChatAPI())
