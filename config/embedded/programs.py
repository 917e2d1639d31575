"""The processes that production has and `make run` starts: one table, also held against `docker-compose.yml`."""

from __future__ import annotations

from dataclasses import dataclass

QUEUES = ("answers", "delivery", "documents", "sync")


@dataclass(frozen=True)
class Program:
    """One process: its name, its words after the virtual environment's `bin/`, and what the settings call its kind."""

    name: str
    words: tuple[str, ...]
    kind: str


def web(*, host: str, port: int) -> Program:
    """Return daphne, which serves HTTP and websockets."""
    words = ["daphne", "-b", host, "-p", str(port)]
    # no access log: paths hold webhooks' secrets and download tokens
    words += ["-v", "0", "--no-server-name", "--http-timeout", "60", "--websocket_connect_timeout", "5"]
    words += ["--ping-interval", "20", "--ping-timeout", "30"]
    # our consumer closes at 256 KiB with a code of its own; daphne's limit only stops what would fill the memory
    words += ["--websocket-max-message-size", "4194304", "--websocket-max-frame-size", "4194304"]
    # not --proxy-headers: daphne believes the leftmost address, which the asker writes; we read the header ourselves
    return Program("daphne", (*words, "config.asgi:application"), "web")


def worker(*queues: str, concurrency: int = 24) -> Program:
    """Return a Celery worker of the queues; threads, because its work is waiting for others."""
    words = ["celery", "-A", "config", "worker", "--pool", "threads", "--concurrency", str(concurrency)]
    words += ["-Q", ",".join(queues or QUEUES), "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    return Program("worker", tuple(words), "worker")


def beat() -> Program:
    """Return Celery's calendar."""
    # no pid file: one that a crash left behind would keep it from starting
    words = ("celery", "-A", "config", "beat", "--pidfile=", "--loglevel", "WARNING")
    return Program("beat", words, "beat")


def sweep() -> Program:
    """Return the loop that fulfils what is due without Celery or Valkey."""
    return Program("sweep", ("python", "manage.py", "sweep"), "sweep")


def on_one_machine(*, port: int) -> tuple[Program, ...]:
    """Return what `make run` starts beside the servers."""
    return (worker(), beat(), sweep(), web(host="127.0.0.1", port=port))
