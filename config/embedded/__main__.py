"""The programs behind the commands: `python -m config.embedded WORD …`.

run                     serve until Ctrl-C
serve postgres|valkey   become that server (the supervisor starts it so)
tied COMMAND …          become the command, which ends when its parent does
settled COMMAND …       become the command, with an environment that the settings accept; starts nothing
"""

from __future__ import annotations

import os
import sys

from config.embedded import Servers, known
from config.embedded.processes import ServerProblem, end_with_parent


def main(words: list[str]) -> int:
    """Do what the first word says."""
    match words:
        case ["run"]:
            from config.embedded import launcher

            return launcher.run()
        case ["serve", "postgres" | "valkey" as name]:
            return _serve(name)
        case ["tied", command, *rest]:
            end_with_parent()
            os.execv(command, [command, *rest])
        case ["settled", command, *rest]:
            os.environ.update(known(os.environ))
            os.execvp(command, [command, *rest])
    print(__doc__, file=sys.stderr)
    return 2


def _serve(name: str) -> int:
    # the supervisor's environment names our own servers as if they were others'
    env = {"STATE_DIR": os.environ["STATE_DIR"]}
    servers = Servers(env)
    server = servers.postgres if name == "postgres" else servers.valkey
    assert server is not None
    try:
        server.exec()
    except (ServerProblem, OSError) as problem:
        print(problem, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
