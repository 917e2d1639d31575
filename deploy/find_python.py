"""Go on with deploy/bootstrap.py under a Python that is new enough.

Written so that any Python 3 can read it: the system's own may be old.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
# the newest first that all locked packages have wheels for
NAMES = ("python3.13", "python3.12", "python3.11")
TEST = "import sys; sys.exit(sys.version_info[:2] < (3, 11))"


def new_enough(name):  # type: (str) -> bool
    """Say whether the command is there and is a Python we can use."""
    try:
        with open(os.devnull, "w") as nowhere:
            return subprocess.call([name, "-c", TEST], stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False


def main():  # type: () -> int
    """Replace this process by the set-up."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap.py")
    python = sys.executable
    if sys.version_info[:2] < OLDEST:
        python = next((name for name in NAMES if new_enough(name)), "")
        if not python:
            found = ".".join(str(part) for part in sys.version_info[:2])
            sys.stderr.write("Python 3.11 or newer is needed, and only Python %s was found.\n" % found)  # noqa: UP031
            return 2
    os.execvp(python, [python, script] + sys.argv[1:])  # noqa: RUF005
    return 1


if __name__ == "__main__":
    sys.exit(main())
