"""The process that makes PDFs: HTML in on stdin, PDF out on stdout, and nothing else in or out.

It runs apart so that a hostile or huge document can hurt only this process: its memory and processor time are
limited, it fetches nothing at all (styles stand in the HTML, fonts come from our own folder through fontconfig), and
its starter kills it when it takes too long. It knows nothing of Django, which keeps it as small as WeasyPrint alone.

Frames are four bytes of length, big-endian, and the body. An answer's body begins with a letter: ``R`` ready, ``P``
four bytes of page count and the PDF, ``E`` a word from ``FAILURES`` below. Run as a script:
``child.py MEMORY_BYTES CPU_SECONDS PDF_MOST_BYTES``.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

#: why a document could not be made, in the words that cross the pipe
FAILURES = ("outside", "too_big", "memory", "too_deep", "broken", "no_library")

LENGTH = struct.Struct(">I")


def read_frame(source: BinaryIO) -> bytes | None:
    """The next frame's body; None at the end."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    size = LENGTH.unpack(head)[0]
    body = source.read(size)
    return body if len(body) == size else None


def write_frame(target: BinaryIO, *parts: bytes) -> None:
    target.write(LENGTH.pack(sum(map(len, parts))) + b"".join(parts))
    target.flush()


def limit(*, memory: int) -> None:
    """Hold this process to ``memory`` bytes of address space, no files written and no traces of a crash."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def allow_seconds(seconds: int) -> None:
    """Let the next document use ``seconds`` of processor time; the kernel ends us after that, even inside C code."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds, hard))


@contextlib.contextmanager
def watching(parent: int) -> Iterator[None]:
    """End within a second of the process that started us, instead of laying out a document for nobody."""

    def look(*_: Any) -> None:
        if os.getppid() != parent:
            os._exit(0)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class AskedOutside(Exception):
    """The document wanted something that isn't in it."""


class Printer:
    """WeasyPrint, warm: one font configuration for all documents, no fetching."""

    def __init__(self) -> None:
        # slow: this import is what the process is kept for
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import FatalURLFetchingError, URLFetcher

        class NothingOutside(URLFetcher):
            """Whatever a document asks for is refused, and the document with it: ours ask for nothing."""

            #: kept because drawing SVG swallows every exception
            asked = False

            def fetch(self, url: str, headers: Any = None) -> Any:
                self.asked = True
                raise FatalURLFetchingError("refused")

        # its warnings repeat what stands in the document
        logging.getLogger("weasyprint").setLevel(logging.CRITICAL + 1)
        logging.getLogger("fontTools").setLevel(logging.CRITICAL + 1)
        self._html = weasyprint.HTML
        self._fonts = FontConfiguration()
        self._fetcher = NothingOutside
        self._refused = FatalURLFetchingError

    def pdf(self, html: bytes) -> tuple[bytes, int]:
        """The document and its number of pages. The same HTML gives the same bytes. Raises ``AskedOutside``."""
        fetcher = self._fetcher(allowed_protocols=(), allow_redirects=False)
        identifier = hashlib.sha256(html).digest()[:16]
        try:
            document = self._html(string=html.decode(), url_fetcher=fetcher).render(font_config=self._fonts)
            made = document.write_pdf(pdf_identifier=identifier), len(document.pages)
        except (Exception, self._refused):
            if fetcher.asked:
                raise AskedOutside from None
            raise
        if fetcher.asked:
            raise AskedOutside
        return made


def answer(printer: Printer, html: bytes, *, most: int) -> tuple[bytes, ...]:
    try:
        pdf, pages = printer.pdf(html)
    except AskedOutside:
        return b"E", b"outside"
    except MemoryError:
        return b"E", b"memory"
    except RecursionError:
        return b"E", b"too_deep"
    except Exception:  # the words of an exception may repeat what stands in the document
        return b"E", b"broken"
    if len(pdf) > most:
        return b"E", b"too_big"
    return b"P", LENGTH.pack(pages), pdf


def main(memory: int, seconds: int, most: int) -> None:
    source = sys.stdin.buffer
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get between the frames
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = os.getppid()
    limit(memory=memory)
    try:
        printer = Printer()
    except (ImportError, OSError):  # a system library is missing: cffi says so with an OSError
        write_frame(target, b"E", b"no_library")
        return
    printer.pdf("<p>Прогрев № 1, 0,00 ₽ <b>Итого</b>".encode())  # the first document costs 40 ms more than others
    write_frame(target, b"R")
    with contextlib.suppress(BrokenPipeError):  # the starter has gone: nobody to tell
        while (html := read_frame(source)) is not None:
            allow_seconds(seconds)
            with watching(parent):
                said = answer(printer, html, most=most)
            write_frame(target, *said)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
