"""One way of calling vendors over HTTP: a clock, a size, tries where a repeat is safe, and words for what went wrong.

Whether a call may be repeated only the caller knows. Of one that may not, everything after the connection was made is
an ``UnknownOutcome``: it may have arrived. Lines of the log and labels of metrics have the vendor's and the operation's
names and never an address, since addresses of vendors hold tokens and ids.
"""

from __future__ import annotations

import json
import logging
import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import httpx2

from common import metrics, wire
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome

logger = logging.getLogger(__name__)

#: seconds of one call, all its tries together
SECONDS = 10.0
#: tries of a call that may be repeated, the first among them
TRIES = 3
#: what a try waits for before it: doubled each time, and between half and the whole of it
WAIT = 0.3
#: the longest that a call itself waits because the vendor asked for it; more is for whoever owes the call
ASKED_MOST = 2.0
#: failures in a row that open the breaker, and for how many seconds: the first time, and at most
FAILURES_MOST, REST, REST_MOST = 8, 5.0, 60.0

_BROKEN = frozenset({500, 502, 503, 504})
#: nothing of the request has left this machine
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class LeftAlone(TemporaryProblem):
    """The vendor has failed again and again, so nobody asks it for a while: nothing was sent."""


class Busy(TemporaryProblem):
    """The vendor asks for patience (429): nothing was done."""


@dataclass(frozen=True)
class Answer:
    """What a vendor has said: any status but 429 and 5xx. ``repeatable`` as the call was."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    vendor: str = ""
    operation: str = ""
    repeatable: bool = True

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON. Of something else nobody knows what was done."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            words = f"{self.vendor} {self.operation}: an answer that isn't JSON"
            raise (TemporaryProblem if self.repeatable else UnknownOutcome)(words) from None

    def error(self) -> Mapping[str, Any]:
        """The body of a refusal, where it is a JSON object; else nothing."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class BrokenAnswer(UnknownOutcome):
    """A 5xx to a call that may not be repeated: what it says may tell the vendor's own code."""

    def __init__(self, words: str, answer: Answer) -> None:
        super().__init__(words)
        self.answer = answer


class Vendor:
    """A vendor at an address. ``name`` and the operations' names are short words: they are labels of metrics."""

    def __init__(self, name: str, root: str, *, headers: Mapping[str, str] | None = None, ca_file: str = "") -> None:
        self.name = name
        self.root = root.rstrip("/")
        self._headers = dict(headers or {})
        self._ca_file = ca_file
        self._breaker = breaker_of(name, self.root)

    def call(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        repeatable: bool,
        seconds: float = SECONDS,
        tries: int = TRIES,
        headers: Mapping[str, str] | None = None,
        params: Any = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        files: Any = None,
    ) -> Answer:
        """Ask, and again where that is safe and there is time.

        Raises ``TemporaryProblem`` (surely not done, or safe to repeat later), ``UnknownOutcome`` (may be done, and not
        safe to repeat) and ``LastingProblem`` (a redirect, an answer too big).
        """
        ends = time.monotonic() + seconds
        asked = {"headers": {**self._headers, **(headers or {})}, "params": params, "files": files}
        asked |= {"json": json} if json is not None else {"data": form} if form is not None else {}
        for number in range(1, max(tries, 1) + 1):
            try:
                return self._once(method, path, asked, operation, repeatable, ends - time.monotonic())
            except LeftAlone:
                raise
            except TemporaryProblem as problem:
                wait = WAIT * 2 ** (number - 1) * random.uniform(0.5, 1.0)
                wait = max(wait, problem.retry_after or 0.0)
                busy = isinstance(problem, Busy)
                # who is busy and doesn't say for how long isn't pressed: whoever owes the call comes again
                may = problem.retry_after is not None if busy else repeatable or problem.__cause__ is not None
                if number == tries or not may or wait > ASKED_MOST or time.monotonic() + wait + 0.5 > ends:
                    raise
                time.sleep(wait)
        raise AssertionError("a call ends by a return or a raise")

    def _once(
        self, method: str, path: str, asked: dict[str, Any], operation: str, repeatable: bool, seconds: float
    ) -> Answer:
        rest = self._breaker.rest()
        if rest > 0:
            self._note(operation, "left_alone", 0.0, 0)
            raise LeftAlone(f"{self.name} fails again and again and is left alone for a while", retry_after=rest)
        started = time.perf_counter()
        with wire.within(seconds) as clock:
            try:
                response = _client(os.getpid(), self._ca_file).request(
                    method, self.root + path, **{name: value for name, value in asked.items() if value is not None}
                )
                answer = Answer(
                    response.status_code,
                    response.content,
                    {name.lower(): value for name, value in response.headers.items()},
                    self.name,
                    operation,
                    repeatable,
                )
            except _NOT_SENT as problem:
                self._breaker.failed()
                self._note(operation, "unreachable", time.perf_counter() - started, 0)
                raise TemporaryProblem(f"{self.name} can't be reached: {type(problem).__name__}") from problem
            except wire.TooBig:
                self._note(operation, "too_big", time.perf_counter() - started, clock.status)
                raise LastingProblem(f"{self.name} {operation}: the answer is too big") from None
            except httpx2.RequestError as problem:
                self._breaker.failed()
                self._note(operation, "cut", time.perf_counter() - started, clock.status)
                words = f"{self.name} {operation}: no whole answer came ({type(problem).__name__})"
                raise (TemporaryProblem if repeatable else UnknownOutcome)(words) from None
        return self._judge(answer, time.perf_counter() - started)

    def _judge(self, answer: Answer, took: float) -> Answer:
        status, operation = answer.status, answer.operation
        if status in _BROKEN or status >= 500:
            self._breaker.failed()
            self._note(operation, "broken", took, status)
            words = f"{self.name} {operation}: {status}"
            if answer.repeatable:
                raise TemporaryProblem(words, retry_after=wire.retry_after(answer.headers))
            raise BrokenAnswer(words, answer)
        self._breaker.answered()
        if status == 429:
            self._note(operation, "busy", took, status)
            raise Busy(f"{self.name} {operation}: too many requests", retry_after=wire.retry_after(answer.headers))
        if 300 <= status < 400:
            self._note(operation, "redirect", took, status)
            raise LastingProblem(f"{self.name} {operation}: a redirect, which is never followed")
        self._note(operation, "ok" if answer.ok else "refused", took, status)
        return answer

    def _note(self, operation: str, outcome: str, took: float, status: int) -> None:
        metrics.vendor_calls_total.labels(vendor=self.name, operation=operation, outcome=outcome).inc()
        if outcome != "left_alone":
            metrics.vendor_seconds.labels(vendor=self.name, operation=operation).observe(took)
        logger.log(
            logging.INFO if outcome == "ok" else logging.WARNING,
            "vendor call",
            extra={
                "vendor": self.name,
                "operation": operation,
                "outcome": outcome,
                "status": status,
                "ms": round(took * 1e3, 1),
            },
        )


class Breaker:
    """Leaves a vendor alone that fails again and again. Each process has its own: it costs a few calls to learn.

    When its rest is over one asker goes first; the others follow when that one was answered.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._failures = self._openings = 0
        self._open_until = 0.0

    @property
    def state(self) -> Literal["closed", "open"]:
        return "open" if self._open_until > time.monotonic() else "closed"

    def rest(self) -> float:
        """Seconds for which nobody asks. Whoever gets 0 after an opening is the probe."""
        with self._lock:
            if not self._open_until:
                return 0.0
            left = self._open_until - time.monotonic()
            if left > 0:
                return left
            self._open_until = time.monotonic() + REST  # the others wait for what the probe finds
            return 0.0

    def answered(self) -> None:
        with self._lock:
            self.forget()

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES_MOST:
                self._open_until = time.monotonic() + min(REST * 2**self._openings, REST_MOST)
                self._openings = min(self._openings + 1, 10)


@lru_cache
def breaker_of(name: str, root: str) -> Breaker:
    """The breaker of a vendor at an address, one in each process."""
    return Breaker()


@lru_cache(maxsize=16)
def _client(pid: int, ca_file: str) -> httpx2.Client:
    """Connections are kept by process: a forked one must not share its parent's."""
    return wire.client(ca_file=ca_file)
