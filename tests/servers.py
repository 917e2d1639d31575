"""An early pytest plugin: the run's own PostgreSQL and Valkey, started before Django reads its settings."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path


def start() -> None:
    """Start a fresh pair of servers and set the environment of this run; workers of the run find it set."""
    if os.environ.get("TEST_RUN_STATE"):
        return
    folder = Path(tempfile.mkdtemp(prefix="sales-tests-"))
    for name in list(os.environ):
        # nothing of the developer's own set-up may leak into a test
        if (
            name.endswith(("_API_KEY", "_TOKEN", "_SECRET", "_CREDENTIALS"))
            or name.startswith("MODEL_")
            or name in {"DATABASE_URL", "REDIS_URL", "SENTRY_DSN"}
        ):
            os.environ.pop(name)
    os.environ["STATE_DIR"] = str(folder / "state")
    os.environ["TEST_RUN_STATE"] = str(folder)
    os.environ["RATE_LIMITS"] = "off"
    # the processes that tests start would each translate all of our code anew: a third of their start
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    from config.embedded import temporary
    from config.embedded.state import secrets, state_dir

    stack = ExitStack()
    os.environ.update(stack.enter_context(temporary(folder / "servers")))
    os.environ.update(secrets(state_dir({"STATE_DIR": str(folder / "state")})))
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() == owner:  # a forked child must not stop its parent's servers
            stack.close()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)


start()
