"""The process that makes PDFs: what it refuses, what it survives, and that it comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_httpserver import HTTPServer

from billing.rendering import renderer as renderer_module
from billing.rendering.renderer import MEBIBYTE, Renderer
from common.problems import LastingProblem, TemporaryProblem

PLAIN = "<p>Привет, № 1, 1 234,56 ₽"


@pytest.fixture(scope="module")
def _shared() -> Iterator[Renderer]:
    shared = Renderer(seconds=4)
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def hasty() -> Iterator[Renderer]:
    """One whose limit comes soon: a bomb burns a processor until then."""
    hasty = Renderer(seconds=2)
    yield hasty
    hasty.close()


@pytest.fixture(scope="module")
def patient() -> Iterator[Renderer]:
    patient = Renderer(seconds=20)
    yield patient
    patient.close()


@pytest.fixture
def printer(_shared: Renderer) -> Iterator[Renderer]:
    """A renderer that still works after the test, whatever the test has fed it."""
    yield _shared
    assert _shared.render(PLAIN).pages == 1


def test_pdf_is_made(printer: Renderer) -> None:
    made = printer.render(PLAIN)

    assert made.pdf.startswith(b"%PDF-")
    assert made.pages == 1


def test_same_html_gives_the_same_bytes(printer: Renderer) -> None:
    assert printer.render(PLAIN) == printer.render(PLAIN)


def _outside(address: str) -> dict[str, str]:
    return {
        "picture": f'<img src="{address}">',
        "picture in a style": f"<p style=\"background: url('{address}')\">a",
        "imported style": f"<style>@import '{address}';</style><p>a",
        "linked style": f'<link rel="stylesheet" href="{address}"><p>a',
        "font": f"<style>@font-face {{ font-family: x; src: url('{address}') }} p {{ font-family: x }}</style><p>a",
        "attachment": f'<link rel="attachment" href="{address}"><p>a',
        "attached link": f'<a rel="attachment" href="{address}">a</a>',
        "object": f'<object data="{address}"></object>',
        "embedded": f'<embed src="{address}">',
        "picture in SVG": f'<svg width="9" height="9"><image href="{address}" width="9" height="9"/></svg>',
        "list mark": f"<ul style=\"list-style-image: url('{address}')\"><li>a</ul>",
        "content": f"<style>p::before {{ content: url('{address}') }}</style><p>a",
        "border": f"<p style=\"border: 1px solid; border-image-source: url('{address}')\">a",
        "page background": f"<style>@page {{ background: url('{address}') }}</style><p>a",
    }


#: a font of a document's own ends one step earlier: the process may not even write it down
REFUSED = "outside|can't lay this document out"

#: what WeasyPrint doesn't ask for at all, so nothing has to be refused
NOT_ASKED = {"embedded in a frame": '<iframe src="{address}"></iframe>', "script": '<script src="{address}"></script>'}


@pytest.mark.parametrize("way", _outside(""))
def test_address_on_this_machine_is_not_fetched(way: str, printer: Renderer, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/secret").respond_with_data("internal page")

    with pytest.raises(LastingProblem, match=REFUSED):
        printer.render(_outside(httpserver.url_for("/secret"))[way])

    assert httpserver.log == []


@pytest.mark.parametrize("way", NOT_ASKED)
def test_frames_and_scripts_ask_for_nothing(way: str, printer: Renderer, httpserver: HTTPServer) -> None:
    made = printer.render(NOT_ASKED[way].format(address=httpserver.url_for("/secret")))

    assert made.pages == 1
    assert httpserver.log == []


@pytest.mark.parametrize("way", _outside(""))
def test_file_of_the_server_is_not_read(way: str, printer: Renderer, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the server's own secret")

    with pytest.raises(LastingProblem, match=REFUSED):
        printer.render(_outside(secret.as_uri())[way])


def test_the_loopback_server_would_have_been_asked_without_the_guard(httpserver: HTTPServer) -> None:
    import weasyprint

    httpserver.expect_request("/secret").respond_with_data("internal page")

    weasyprint.HTML(string=_outside(httpserver.url_for("/secret"))["attachment"]).write_pdf()

    assert [request.path for request, _ in httpserver.log] == ["/secret"]


def test_data_in_an_address_is_refused_too(printer: Renderer) -> None:
    with pytest.raises(LastingProblem, match="outside"):
        printer.render('<img src="data:image/svg+xml,<svg xmlns=%22http://www.w3.org/2000/svg%22/>">')


def _svg_bomb() -> str:
    layers = "".join(f'<g id="a{depth}">' + f'<use href="#a{depth - 1}"/>' * 10 + "</g>" for depth in range(1, 9))
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg"><defs><g id="a0"><rect width="1" height="1"/></g>{}</defs>{}</svg>'
    )
    return drawing.format(layers, '<use href="#a8"/>')


BOMBS = {
    "10,000 nested blocks": "<div>" * 10_000,
    "a table of 100,000 rows": "<table>" + "<tr><td>a<td>b" * 100_000 + "</table>",
    "an SVG that multiplies itself": _svg_bomb(),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb_ends_at_a_limit(bomb: str, hasty: Renderer) -> None:
    hasty.warm()
    started = time.monotonic()

    with pytest.raises(LastingProblem):
        hasty.render(BOMBS[bomb])

    assert time.monotonic() - started < 8
    assert hasty.render(PLAIN).pages == 1


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<p>" + "ы" * 1_000_000, id="a word of a million letters", marks=pytest.mark.proof),
        pytest.param("<p>" + "ы" * 100_000, id="a word of a hundred thousand letters"),
        pytest.param("<style>@page { size: 10000000mm 10000000mm }</style><p>a", id="a page of ten kilometres"),
        pytest.param("", id="nothing"),
        pytest.param("<p>\x00", id="NUL"),
        pytest.param("<p>\ufffe", id="no character"),
    ],
)
def test_odd_document_is_made_or_refused_and_the_next_one_is_made(html: str, patient: Renderer) -> None:
    with suppress(LastingProblem):
        patient.render(html)

    assert patient.render(PLAIN).pages == 1


def test_memory_is_limited() -> None:
    small = Renderer(seconds=20, memory=200 * MEBIBYTE)

    with pytest.raises(LastingProblem, match="memory"):
        small.render("<p>" + "слово " * 2_000_000)

    assert small.render(PLAIN).pages == 1
    small.close()


def test_pdf_over_the_limit_is_refused() -> None:
    strict = Renderer(most=2000)

    with pytest.raises(LastingProblem, match="larger than"):
        strict.render(PLAIN)

    strict.close()


def test_child_has_no_secret_in_reach(printer: Renderer) -> None:
    printer.warm()

    environment = Path(f"/proc/{printer.pid}/environ").read_bytes().decode()

    assert settings.SECRET_KEY not in environment
    assert sorted(line.split("=")[0] for line in environment.split("\0") if line) == [
        "FONTCONFIG_FILE",
        "LANG",
        "PATH",
        "PYTHONHASHSEED",
    ]


def test_child_killed_in_the_middle_is_a_problem_that_passes(patient: Renderer) -> None:
    patient.warm()
    child = patient.pid
    assert child is not None
    threading.Timer(0.5, os.kill, (child, signal.SIGKILL)).start()

    with pytest.raises(TemporaryProblem):
        patient.render(BOMBS["a table of 100,000 rows"])

    assert patient.render(PLAIN).pages == 1
    assert patient.pid != child


def test_child_killed_between_documents_is_replaced_unnoticed(printer: Renderer) -> None:
    printer.warm()
    assert printer.pid is not None
    os.kill(printer.pid, signal.SIGKILL)
    time.sleep(0.1)

    assert printer.render(PLAIN).pages == 1


def test_child_ends_with_its_starter_even_in_the_middle_of_a_document(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import threading, time
        from billing.rendering.renderer import Renderer
        renderer = Renderer(seconds=60)
        renderer.warm()
        threading.Thread(target=renderer.render, args=("<table>" + "<tr><td>a<td>b" * 100_000,), daemon=True).start()
        time.sleep(0.5)
        print(renderer.pid, flush=True)
        time.sleep(60)
    """)
    starter = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        text=True,
    )
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    starter.stdout.close()

    ends = time.monotonic() + 10
    while time.monotonic() < ends and _alive(child):
        time.sleep(0.1)

    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_missing_library_is_said_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "child.py"
    source = renderer_module.CHILD.read_text()
    broken.write_text(
        source.replace("        import weasyprint\n", "        raise OSError('cannot load library')\n", 1)
    )
    monkeypatch.setattr(renderer_module, "CHILD", broken)
    poor = Renderer()

    with pytest.raises(LastingProblem, match="apt-get install libpango"):
        poor.render(PLAIN)


def test_documents_wait_for_each_other_and_all_are_made(printer: Renderer) -> None:
    made: list[Any] = []
    threads = [threading.Thread(target=lambda: made.append(printer.render(PLAIN))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 8
    assert len({each.pdf for each in made}) == 1


def test_thread_that_waits_too_long_gets_a_problem_that_passes() -> None:
    busy = Renderer(seconds=1.5, patience=0.2)
    busy.warm()

    def ends_at_its_limit() -> None:
        with suppress(LastingProblem):
            busy.render(_svg_bomb())

    first = threading.Thread(target=ends_at_its_limit)
    first.start()
    time.sleep(0.3)

    with pytest.raises(TemporaryProblem):
        busy.render(PLAIN)

    first.join()
    busy.close()


def test_fresh_process_takes_over_after_many_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer_module, "DOCUMENTS_MOST", 2)
    short = Renderer()

    pids = []
    for _ in range(3):
        short.render(PLAIN)
        pids.append(short.pid)

    assert pids[0] == pids[1] != pids[2]
    short.close()
