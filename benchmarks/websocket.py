"""The websocket beside a bare Channels consumer in the same run: messages a second, time to an answer, memory.

``python -m benchmarks.websocket`` prints a table in Markdown. ``--quick`` for a first look. Medians of repeated runs,
ours and the bare one in turns, because the machine's mood changes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.rows import Row, table

CONNECTIONS = 50


@contextmanager
def servers() -> Iterator[None]:
    """PostgreSQL as durable as the product's, not as fast as the tests'."""
    from config.embedded import Servers
    from config.embedded.state import secrets, state_dir

    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    env = {"STATE_DIR": str(folder / "state")}
    found = Servers(env)
    try:
        found.start(tied=True)
        os.environ.update(found.addresses() | secrets(state_dir(env)) | env)
        os.environ.update({"RATE_LIMITS": "off", "TEST_RUN_STATE": str(folder)})
        yield
    finally:
        found.stop()
        if found.postgres:
            shutil.rmtree(found.postgres.home, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def bare(redis_url: str) -> Iterator[tuple[str, int]]:
    """A daphne with the bare consumer; yields its address and process id."""
    from config.embedded.programs import web
    from tests.stack import _free_port, until

    port = _free_port()
    words = [str(Path(sys.executable).with_name("daphne")), *web(host="127.0.0.1", port=port).words[1:-1]]
    child = subprocess.Popen(
        [*words, "benchmarks.bare_consumer:application"], env=os.environ | {"REDIS_URL": redis_url}
    )
    try:
        until(lambda: listening(port), seconds=60, what="the bare consumer answers")
        yield f"ws://127.0.0.1:{port}", child.pid
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def listening(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def rate(lines: list[Any], seconds: float) -> float:
    """Acknowledged messages a second: every connection sends the next one when the last one was acknowledged."""
    ends = time.monotonic() + seconds

    async def talk(line: Any) -> int:
        done = 0
        while time.monotonic() < ends:
            client_id = uuid.uuid4().hex
            await line.send(json.dumps({"type": "message", "client_id": client_id, "text": "Сколько стоит тариф?"}))
            while True:
                frame = json.loads(await line.recv())
                if frame["type"] == "ack" and frame["client_id"] == client_id:
                    break
            done += 1
        return done

    began = time.monotonic()
    total = sum(await asyncio.gather(*(talk(line) for line in lines)))
    return total / (time.monotonic() - began)


async def time_to_answer(line: Any) -> float:
    """Milliseconds from sending a message to the whole answer."""
    began = time.perf_counter()
    await line.send(json.dumps({"type": "message", "client_id": uuid.uuid4().hex, "text": "Сколько стоит тариф?"}))
    while True:
        frame = json.loads(await line.recv())
        if frame["type"] == "message" and frame["message"]["author"] == "assistant":
            return (time.perf_counter() - began) * 1000


def memory(pid: int) -> float:
    """KiB of its own that a process holds."""
    return psutil.Process(pid).memory_full_info().uss / 1024


async def connect(address: str, hello: dict[str, Any] | None = None) -> Any:
    import websockets

    line = await websockets.connect(address, compression=None, ping_interval=None, open_timeout=60)
    if hello is not None:
        await line.send(json.dumps(hello))
        while json.loads(await line.recv())["type"] != "ready":
            pass
    return line


def sessions(url: str, count: int) -> list[tuple[str, str]]:
    from tests.webchat.browser import session

    return [session(url) for _ in range(count)]


async def connect_ours(stack: Any, count: int) -> list[Any]:
    lines = []
    for conversation, token in await asyncio.to_thread(sessions, stack.url, count):
        hello = {"type": "hello", "token": token, "after": 0}
        lines.append(await connect(f"{stack.ws}/chat/ws/{conversation}", hello))
    return lines


async def close(lines: list[Any]) -> None:
    await asyncio.gather(*(line.close() for line in lines))


def processor(pid: int) -> float:
    """Seconds of the processor that a process has used."""
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


async def rate_and_cost(lines: list[Any], pid: int, seconds: float) -> tuple[float, float]:
    """Messages a second, and the server's processor time for one in ms, which busy neighbours hardly touch."""
    before = processor(pid)
    found = await rate(lines, seconds)
    await close(lines)
    return found, (processor(pid) - before) / (found * seconds) * 1000


async def acknowledged(
    stack: Any, bare_address: str, bare_pid: int, *, runs: int, seconds: float
) -> dict[str, tuple[float, float]]:
    """Medians of rate and cost."""
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": []}
    for _ in range(runs):
        lines = [await connect(bare_address) for _ in range(CONNECTIONS)]
        found["bare"].append(await rate_and_cost(lines, bare_pid, seconds))
        lines = await connect_ours(stack, CONNECTIONS)
        found["ours"].append(await rate_and_cost(lines, stack.pid("daphne"), seconds))
        await asyncio.sleep(6)  # what is still owed is answered before the next run
    return {
        name: (statistics.median(each[0] for each in runs_), statistics.median(each[1] for each in runs_))
        for name, runs_ in found.items()
    }


async def answered(stack: Any, *, messages: int) -> float:
    (line,) = await connect_ours(stack, 1)
    took = [await time_to_answer(line) for _ in range(messages)]
    await close([line])
    return statistics.median(took)


async def idle(stack: Any, bare_address: str, bare_pid: int, *, count: int) -> dict[str, float]:
    """KiB a connection, over the second half of the connections: the first pay for what is allocated once."""
    found = {}
    for name, pid in (("bare", bare_pid), ("ours", stack.pid("daphne"))):
        lines: list[Any] = []
        marks = []
        for _ in range(2):
            more = (
                [await connect(bare_address) for _ in range(count)]
                if name == "bare"
                else await connect_ours(stack, count)
            )
            lines += more
            await asyncio.sleep(3)
            marks.append(memory(pid))
        found[name] = (marks[1] - marks[0]) / count
        await close(lines)
    return found


async def measure(stack: Any, bare_address: str, bare_pid: int, *, quick: bool) -> list[Row]:
    held = await idle(stack, bare_address, bare_pid, count=150 if quick else 500)
    acks = await acknowledged(stack, bare_address, bare_pid, runs=1 if quick else 5, seconds=4 if quick else 8)
    took = await answered(stack, messages=5 if quick else 30)
    gathered = 1000.0  # the wait for a customer who writes on; in no figure
    (rate_ours, cost_ours), (rate_bare, cost_bare) = acks["ours"], acks["bare"]
    return [
        Row(
            what=f"websocket: messages stored and acknowledged, {CONNECTIONS} connections",
            ours=rate_ours,
            bare=rate_bare,
            unit="/s",
            floor=0.3,
            aim=0.5,
            more_is_better=True,
            meaning="Each connection sends its next message when the last one was acknowledged, so stored. Beside it"
            " a consumer in the same server that does one round trip over its channel group and stores nothing.",
        ),
        Row(
            what="websocket: processor time of the server for one of them",
            ours=cost_ours,
            bare=cost_bare,
            unit="ms",
            meaning="The same runs, counted in processor time of daphne, which busy neighbours hardly touch.",
        ),
        Row(
            what="websocket: message to whole answer",
            ours=took - gathered,
            bare=None,
            unit="ms",
            meaning="Over websocket, Celery and back with a model that only repeats, less the second of waiting for"
            " more. What a real turn adds is measured in process: see the turn.",
        ),
        Row(
            what="websocket: memory of an idle connection",
            ours=held["ours"],
            bare=held["bare"],
            unit="KiB",
            floor=2,
            aim=1.3,
            meaning="What the server's own memory grows by for each further connection that says nothing; beside it"
            " the bare consumer.",
        ),
    ]


def run(*, quick: bool) -> list[Row]:
    """Start the product and the bare consumer, measure both."""
    with servers():
        from tests.stack import running

        with (
            running(settings="tests.webchat.parrot") as stack,
            bare(stack.valkey.url) as (address, pid),
        ):
            return asyncio.run(measure(stack, address, pid, quick=quick))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print(table(run(quick=parser.parse_args().quick)))


if __name__ == "__main__":
    main()
