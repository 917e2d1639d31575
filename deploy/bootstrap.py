"""All the set-up behind the Makefile: virtual environment, packages, system libraries, browser; then the work.

Only the standard library is used. What a person has to put right is said in one sentence, with exit status 2.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STEPS = 7
UV = "uv==0.13.9"

# what WeasyPrint loads, and the Debian package that has it
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


class Refused(Exception):
    """Something has to be put right by a person first; the text says what, in one sentence."""


def main(words: list[str]) -> int:
    """Do what the first word says."""
    commands = {"run": run, "test": test, "proof": proof, "bench": bench, "lock": lock, "clean": clean}
    if not words or words[0] not in commands:
        print(f"usage: bootstrap.py {'|'.join(commands)}", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    try:
        return commands[words[0]](words[1:])
    except Refused as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130


def run(words: list[str]) -> int:
    """Set up and serve."""
    check_environment(installed=packages_are_there("base"))
    set_up("base")
    return hand_over([str(PYTHON), "-m", "config.embedded", "run"])


def test(words: list[str]) -> int:
    """Set up, then run the checks and the tests; further words go to pytest."""
    check_dotenv()
    set_up("dev")
    step(4, "looking for a browser …")
    os.environ["CHROMIUM"] = browser()
    step(5, "checking the code …")
    failed = check(words)
    step(6, "running the tests …")
    # files side by side, in the order of their names, so that the long ones among them don't begin last
    together = [] if words else ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    status = call([str(PYTHON), "-m", "pytest", *together, *words])
    if failed:
        say(f"\nThese checks failed: {', '.join(failed)}")
    return status or bool(failed)


def proof(words: list[str]) -> int:
    """Run the proofs at full length."""
    set_up("dev")
    os.environ["CHROMIUM"] = browser()
    return call([str(PYTHON), "-m", "pytest", "-m", "proof", "--timeout", "3600", *words])


def bench(words: list[str]) -> int:
    """Run the benchmarks."""
    set_up("dev")
    return call([str(PYTHON), "-m", "benchmarks", *words])


def lock(words: list[str]) -> int:
    """Write the locked requirements anew; further words go to uv, such as --upgrade."""
    set_up("base")
    tools = VENV / "tools"
    call([str(PYTHON), "-m", "pip", "install", "--quiet", "--target", str(tools), "--upgrade", UV])
    compile_ = [str(tools / "bin" / "uv"), "pip", "compile", "--universal", "--python-version", "3.11"]
    for name in ("base", "dev"):
        paths = [f"requirements/{name}.in", "-o", f"requirements/{name}.txt"]
        if status := call([*compile_, "--generate-hashes", "--quiet", *paths, *words]):
            return status
    return 0


def clean(words: list[str]) -> int:
    """Delete what the set-up and the servers made. Refuses while the product runs."""
    state_module = module("state")
    folder = state_module.state_dir(os.environ)
    if _in_use(folder):
        raise Refused(f"The product is running with {folder}: stop it first.")
    outside = folder / "postgres"
    if outside.is_symlink():
        shutil.rmtree(outside.resolve(), ignore_errors=True)
    shutil.rmtree(folder)
    shutil.rmtree(VENV, ignore_errors=True)
    say("Deleted: the virtual environment and the state folder with its data and keys.")
    return 0


# --- the steps ---------------------------------------------------------------------------------------------------


def set_up(lock_name: str) -> None:
    """Make the virtual environment and bring all that `requirements/<lock_name>.txt` needs."""
    step(1, f"Python {platform.python_version()}, virtual environment in .venv")
    make_venv()
    if packages_are_there(lock_name):
        step(2, "Python packages are there")
    else:
        install_packages(lock_name)
    bring_libraries()


def make_venv() -> None:
    """Make `.venv`, or make it anew when its Python is gone."""
    if (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0
    ):
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        bring(f"python{version}-venv", why="Python's venv module")
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"The virtual environment can't be made: {(done.stderr or done.stdout).strip()}")


def mark(lock_name: str) -> str:
    """Return what the file `.venv/.installed-<lock_name>` holds when this very lock is installed for this Python."""
    text = (ROOT / "requirements" / f"{lock_name}.txt").read_bytes()
    return f"{hashlib.sha256(text).hexdigest()}\n"


def packages_are_there(lock_name: str) -> bool:
    """Say whether the locked packages were installed already."""
    try:
        return PYTHON.exists() and (VENV / f".installed-{lock_name}").read_text() == mark(lock_name)
    except OSError:
        return False


def install_packages(lock_name: str) -> None:
    """Install the locked packages, each held against its hash."""
    path = f"requirements/{lock_name}.txt"
    total = sum(1 for line in (ROOT / path).read_text().splitlines() if "==" in line and not line.startswith(" "))
    step(2, f"installing about {total} Python packages …")
    # the lock is complete: pip needn't look for more
    words = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps", "-r", path]
    words += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    begin = time.monotonic()
    lines: list[str] = []
    pip = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    assert pip.stdout is not None
    seen = 0
    shown = begin
    for line in pip.stdout:
        lines.append(line)
        seen += line.startswith(("Collecting ", "Requirement already satisfied"))
        if line.startswith("Installing collected"):
            say(f"      {seen} of {total} are here, unpacking …")
        elif time.monotonic() - shown > 5:
            shown = time.monotonic()
            say(f"      {seen} of {total}, {shown - begin:.0f} s")
    if pip.wait():
        raise Refused(f"{''.join(lines[-15:])}\nThe Python packages can't be installed; the lines above say why.")
    (VENV / f".installed-{lock_name}").write_text(mark(lock_name))
    say(f"      done in {time.monotonic() - begin:.0f} s")


def bring_libraries() -> None:
    """See that the libraries WeasyPrint draws with are there."""
    missing = [package for name, package in LIBRARIES.items() if not loads(name)]
    if not missing:
        step(3, "system libraries are there")
        return
    if platform.system() == "Darwin":
        if shutil.which("pango-view") is None:
            raise Refused("Pango is missing, which draws the documents: run `brew install pango`, then the same again.")
        return
    step(3, f"installing system libraries: {', '.join(missing)} …")
    bring(*missing, why="the libraries that draw the documents (Pango)")
    still = [name for name in LIBRARIES if not loads(name)]
    if still:
        raise Refused(f"These libraries are still missing after the installation: {', '.join(still)}.")


def loads(name: str) -> bool:
    """Say whether the system finds a shared library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def bring(*packages: str, why: str) -> None:
    """Install Debian packages where we may, else say the command."""
    command = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise Refused(f"Missing: {why}. Install what your system has instead of Debian's {', '.join(packages)}.")
    if os.geteuid() != 0:
        raise Refused(f"Missing: {why}. Run this once, then the same again: sudo apt-get update && sudo {command}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["apt-get", "update"], command.split()):
        done = waiting(words, environment)
        if done.returncode:
            raise Refused(f"{(done.stderr or done.stdout).strip()[-2000:]}\nThis command failed: {' '.join(words)}")


def waiting(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that is silent for long, with a sign of life every five seconds."""
    over = threading.Event()
    begin = time.monotonic()

    def tell() -> None:
        while not over.wait(5):
            say(f"      {' '.join(words[:2])}, {time.monotonic() - begin:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        return subprocess.run(
            words, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    finally:
        over.set()
        teller.join()


def browser() -> str:
    """Return the path of a Chromium, brought where we may."""
    given = os.environ.get("CHROMIUM")
    found = given if given and os.access(given, os.X_OK) else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        say("      installing Chromium …")
        bring("chromium", why="a browser for the tests")
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        say("      downloading Playwright's Chromium …")
        done = waiting([str(PYTHON), "-m", "playwright", "install", "chromium"], dict(os.environ))
        ask = "from playwright.sync_api import sync_playwright as p\nwith p() as w: print(w.chromium.executable_path)"
        told = subprocess.run([str(PYTHON), "-c", ask], capture_output=True, text=True, check=False).stdout.strip()
        if done.returncode or not os.access(told, os.X_OK):
            raise Refused(
                "The tests need a browser and none can be downloaded: run `sudo apt-get install chromium`, "
                "or set CHROMIUM to the path of one."
            )
        found = told
    return found


# --- what is checked before anything is changed ---------------------------------------------------------------------


def check_environment(*, installed: bool) -> None:
    """Refuse a broken `.env` or a busy port now rather than after two minutes of set-up."""
    check_dotenv()
    if installed:
        return  # the launcher looks in a second, and knows more
    port = os.environ.get("PORT") or "8000"
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise Refused("PORT must be a whole number from 1 to 65535.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError:
            another = f"e.g. PORT={int(port) % 65535 + 1} make run"
            raise Refused(f"Port {port} is busy: stop what uses it, or choose another, {another}") from None


def check_dotenv() -> None:
    """Read `.env` into a copy of the environment, to see that it can be read; `PORT` and `STATE_DIR` are kept."""
    dotenv = module("dotenv")
    copy = dict(os.environ)
    try:
        dotenv.load(ROOT / ".env", copy)
    except dotenv.BadLine as problem:
        raise Refused(str(problem)) from None
    for name in ("PORT", "STATE_DIR"):
        if name in copy:
            os.environ[name] = copy[name]


def module(name: str) -> ModuleType:
    """Load a file of `config/embedded` that needs nothing but the standard library, without its package, which does."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "config" / "embedded" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


# --- the checks of `make test` --------------------------------------------------------------------------------------


def check(words: list[str]) -> list[str]:
    """Run every check of the code; return the names of those that failed. With further words a part was asked for."""
    if words:
        return []
    bin_ = VENV / "bin"
    with tempfile.TemporaryDirectory(prefix="ai-sales-check-") as folder:
        os.chmod(folder, 0o711)
        local = {"STATE_DIR": f"{folder}/state"}
        manage = [str(PYTHON), "manage.py"]
        settled = [str(PYTHON), "-m", "config.embedded", "settled"]  # mypy's plugin reads the settings
        checks: list[tuple[str, list[str], dict[str, str]]] = [
            ("ruff check", [str(bin_ / "ruff"), "check", "."], {}),
            ("ruff format", [str(bin_ / "ruff"), "format", "--check", "."], {}),
            ("mypy", [*settled, str(bin_ / "mypy"), "."], local),
            ("import-linter", [str(bin_ / "lint-imports")], {}),
            ("migrations", [*manage, "makemigrations", "--check", "--dry-run"], local),
            ("deployment", [*manage, "check", "--deploy", "--fail-level", "WARNING"], production(folder)),
            ("OpenAPI", [*manage, "spectacular", "--fail-on-warn", "--validate", "--file", os.devnull], local),
        ]
        failed = []
        for name, command, environment in checks:
            begin = time.monotonic()
            done = subprocess.run(
                command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, cwd=ROOT
            )
            say(f"      {name}: {'FAILED' if done.returncode else 'ok'} ({time.monotonic() - begin:.0f} s)")
            if done.returncode:
                failed.append(name)
                say(f"{done.stdout[-6000:]}{done.stderr[-6000:]}")
    return failed


def production(folder: str) -> dict[str, str]:
    """Return an environment like production's, with keys that are used for this check alone."""
    return {
        "ENVIRONMENT": "production",
        "STATE_DIR": f"{folder}/state",
        "PUBLIC_URL": "https://sales.example.org",
        "ALLOWED_HOSTS": "sales.example.org",
        "TRUSTED_PROXIES": "1",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
        "REDIS_URL": "redis://127.0.0.1/0",
        "SECRET_KEY": key() + key(),  # Django asks for fifty characters
        "FIELD_ENCRYPTION_KEYS": f"1:{key()}",
        "BLIND_INDEX_KEY": key(),
        # with a key of theirs the check warns of the transfer abroad, which is no fault of the code
        "OPENAI_API_KEY": "",
        "ANTHROPIC_API_KEY": "",
    }


def key() -> str:
    """Return a fresh key of 32 bytes in base64."""
    return base64.b64encode(os.urandom(32)).decode("ascii")


# --- small things ---------------------------------------------------------------------------------------------------


def _in_use(folder: Path) -> bool:
    import fcntl

    try:
        with (folder / "in-use").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def hand_over(words: list[str]) -> int:
    """Become another program, so that signals meant for us reach it."""
    sys.stdout.flush()
    os.execv(words[0], words)


def call(words: list[str]) -> int:
    """Run a command in the terminal and return its exit status."""
    return subprocess.run(words, cwd=ROOT, check=False).returncode


def step(number: int, what: str) -> None:
    """Say which step begins."""
    say(f"[{number}/{STEPS}] {what}")


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
