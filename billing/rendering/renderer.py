"""PDFs from HTML, made in a process of their own that is started when first needed and kept warm."""

from __future__ import annotations

import atexit
import os
import selectors
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from common.problems import LastingProblem, TemporaryProblem

CHILD = Path(__file__).with_name("child.py")
FONTS = Path(settings.BASE_DIR) / "static" / "billing" / "fonts"

MEBIBYTE = 1024 * 1024
#: the largest PDF that is stored
PDF_MOST = 10 * MEBIBYTE
#: documents that one process makes before a fresh one takes its place: libraries leak
DOCUMENTS_MOST = 300

_LENGTH = struct.Struct(">I")

# English because staff read it on the page of what is stuck, next to other problems
_WORDS = {
    "outside": "The document asks for a file or an address from outside. Nothing was fetched; the template is wrong.",
    "too_big": f"The PDF is larger than {PDF_MOST // MEBIBYTE} MB. Shorten what the document says.",
    "memory": "The document needs more memory than it may have. Shorten it.",
    "too_deep": "The document is nested too deeply to be laid out.",
    "broken": "WeasyPrint can't lay this document out.",
    "no_library": (
        "WeasyPrint doesn't find Pango. On Debian: "
        "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 — then try again."
    ),
    "too_slow": "The document took longer than {seconds} s. Shorten it.",
    "died": "The process that makes PDFs died over this document, probably for want of memory. Shorten it.",
}


@dataclass(frozen=True)
class Rendered:
    """A finished PDF."""

    pdf: bytes
    pages: int


class _Died(Exception):
    """The child closed its end before it had answered."""


class Renderer:
    """One child process, one document at a time. Safe to use from several threads.

    ``seconds`` is the wall-clock limit of one document, ``memory`` the child's address space in bytes, ``patience``
    how long a thread waits for its turn, in seconds.
    """

    def __init__(
        self, *, seconds: float = 20, memory: int = 512 * MEBIBYTE, most: int = PDF_MOST, patience: float = 60
    ) -> None:
        self.seconds, self.memory, self.most, self.patience = seconds, memory, most, patience
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._made = 0
        atexit.register(self.close)

    @property
    def pid(self) -> int | None:
        """The child's process id, if one is running."""
        child = self._child
        return child.pid if child and child.poll() is None else None

    def render(self, html: str) -> Rendered:
        """Make the PDF. Raises ``LastingProblem`` for a document that can't be made, else ``TemporaryProblem``."""
        if not self._turn.acquire(timeout=self.patience):
            raise TemporaryProblem("Other documents are being made; this one waits.", retry_after=5)
        try:
            if self._made >= DOCUMENTS_MOST:
                self._stop()
            # a child that somebody ended between two documents is nobody's fault
            if self._child is not None and self._child.poll() is not None:
                self._stop()
            self._start()
            self._made += 1
            return self._ask(html.encode())
        finally:
            self._turn.release()

    def warm(self) -> None:
        """Start the child now, so that the first document needn't wait for it."""
        with self._turn:
            self._start()

    def close(self) -> None:
        """End the child."""
        self._stop()

    def _ask(self, html: bytes) -> Rendered:
        try:
            said = self._exchange(html, seconds=self.seconds)
        except TimeoutError:
            self._stop()
            raise LastingProblem(_WORDS["too_slow"].format(seconds=f"{self.seconds:g}")) from None
        except _Died:
            how = self._stop()
            if how in {-15, -9, -2}:  # ended from outside (a stopping worker, the system): not the document's doing
                raise TemporaryProblem("The process that makes PDFs was ended.") from None
            raise LastingProblem(_WORDS["died"]) from None
        if said[:1] == b"P":
            return Rendered(pdf=said[5:], pages=_LENGTH.unpack(said[1:5])[0])
        if said[1:] == b"memory":
            self._stop()  # what ran out once is better begun anew
        raise LastingProblem(_WORDS.get(said[1:].decode(), _WORDS["broken"]))

    def _start(self) -> None:
        if self._child is not None:
            return
        words = [sys.executable, "-s", "-P", str(CHILD), str(self.memory), str(int(self.seconds) + 5), str(self.most)]
        self._child = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what libraries complain of may repeat the document
            cwd=CHILD.parent,
            # no secret of ours is in reach of a document; equal hashes make equal bytes
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "LANG": "C.UTF-8",
                "PYTHONHASHSEED": "0",
                "FONTCONFIG_FILE": str(FONTS / "fonts.conf"),
            },
        )
        self._made = 0
        os.set_blocking(self._child.stdin.fileno(), False)  # type: ignore[union-attr]
        os.set_blocking(self._child.stdout.fileno(), False)  # type: ignore[union-attr]
        try:
            said = self._exchange(None, seconds=60)
        except (TimeoutError, _Died):
            self._stop()
            raise TemporaryProblem("The process that makes PDFs doesn't start.", retry_after=10) from None
        if said != b"R":
            self._stop()
            raise LastingProblem(_WORDS["no_library"])

    def _stop(self) -> int | None:
        child, self._child = self._child, None
        if child is None:
            return None
        ended = child.poll()
        if ended is None:
            with suppress(subprocess.TimeoutExpired):
                ended = child.wait(0.2)  # it may be about to say how it ended
        if ended is None:
            child.kill()
            child.wait()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        return ended

    def _exchange(self, frame: bytes | None, *, seconds: float) -> bytes:
        """Send a frame, if there is one, and read the answer. Raises ``TimeoutError`` and ``_Died``."""
        child = self._child
        assert child is not None and child.stdin and child.stdout
        ends = time.monotonic() + seconds
        rest = memoryview(b"" if frame is None else _LENGTH.pack(len(frame)) + frame)
        got = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(child.stdout, selectors.EVENT_READ)
            if rest:
                ready.register(child.stdin, selectors.EVENT_WRITE)
            while True:
                events = ready.select(max(0.0, ends - time.monotonic()))
                if not events:
                    raise TimeoutError
                for key, _ in events:
                    if key.fileobj is child.stdin:
                        try:
                            rest = rest[os.write(key.fd, rest[:65536]) :]
                        except BrokenPipeError:
                            raise _Died from None
                        if not rest:
                            ready.unregister(child.stdin)
                        continue
                    piece = os.read(key.fd, 1 << 20)
                    if not piece:
                        raise _Died
                    got += piece
                    if len(got) >= _LENGTH.size and len(got) >= _LENGTH.size + _LENGTH.unpack_from(got)[0]:
                        return bytes(got[_LENGTH.size :])


_own = Renderer()


def renderer() -> Renderer:
    """This process's own renderer; its child is started when it is first needed."""
    return _own
