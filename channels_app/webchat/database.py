"""The database from an event loop: a few threads of our own, each with a connection while there is work.

Django's own bridge runs everything of a websocket in one thread per process, where fifty visitors would wait for
each other. The threads are fewer than the pool's connections, so that pages are never kept waiting by the chat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")

#: most of the time a thread waits for a commit to reach the disk; half of the pool's connections stay for pages
THREADS = 8

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="webchat")


class Unavailable(Exception):
    """The database can't be asked now."""


async def run(work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Call ``work`` in one of the threads. It may be called twice: it must find what its first run has stored.

    Raises ``Unavailable`` when the database is away.
    """
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(_work, work, args, kwargs))


def _work(work: Callable[..., T], args: Any, kwargs: Any) -> T:
    try:
        try:
            return work(*args, **kwargs)
        except (OperationalError, InterfaceError):
            # a connection that a restart of the server has cut looks whole until it is used, and so do the others
            connection.close()
            if connection.pool is not None:  # type: ignore[attr-defined]  # of PostgreSQL's backend alone
                connection.pool.check()  # type: ignore[attr-defined]
            return work(*args, **kwargs)
    except (OperationalError, InterfaceError) as problem:
        raise Unavailable(type(problem).__name__) from problem
    finally:
        connection.close()  # back to the pool
