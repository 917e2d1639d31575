"""A PDF that is owed gets made once, whoever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from billing import operations, reconcile, tasks
from billing.models import Document, Pdf
from billing.operations import make_pdf
from billing.rendering import papers
from common import promise
from common.problems import LastingProblem
from common.promise import State

pytestmark = pytest.mark.django_db(transaction=True)

#: a worker that takes the document, makes its PDF, and is then about to store it
WORKER = """
import sys, time
import django
django.setup()
from django.utils import timezone
from billing import operations
from billing.models import Document
from billing.rendering.renderer import renderer

class Slow:
    def render(self, html):
        made = renderer().render(html)
        print("made", flush=True)
        time.sleep(60)
        return made

operations.renderer = Slow
Document.objects.get(pk=sys.argv[1]).keep(operations.make_pdf, now=timezone.now())
"""


def _killed_before_storing(document: Document) -> None:
    params = connection.settings_dict
    host = params["HOST"] or params["OPTIONS"].get("host", "")
    address = f"postgresql://{params['USER']}@/{params['NAME']}?host={quote(str(host), safe='')}"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(document.pk)],
        stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": address,
            "PROCESS_KIND": "worker",
        },
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "made\n"
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()


def test_sweep_finishes_once_what_a_killed_worker_left(issued: Callable[..., Document]) -> None:
    document = issued()
    _killed_before_storing(document)
    document.refresh_from_db()
    left = (document.state, Pdf.objects.count())

    swept = [reconcile.sweep(now=timezone.now()) for _ in range(2)]

    document.refresh_from_db()
    assert left == (State.TAKEN, 0)
    assert swept == [1, 0]
    assert (document.state, document.attempts, Pdf.objects.count()) == (State.KEPT, 2, 1)


def test_a_sweep_that_looks_only_at_what_is_due_leaves_it_for_ever(issued: Callable[..., Document]) -> None:
    document = issued()
    _killed_before_storing(document)

    for each in Document.objects.due(timezone.now()):
        each.keep(make_pdf, now=timezone.now())

    document.refresh_from_db()
    assert (document.state, Pdf.objects.count()) == (State.TAKEN, 0)


def _at_once(document: Document, count: int) -> int:
    """``count`` workers at the same document; returns how many PDFs were made."""
    made: list[Any] = []
    start = threading.Barrier(count)
    real = papers.html_of

    def counted(each: Document) -> str:
        made.append(each.pk)
        return real(each)

    def work() -> None:
        from common import locks

        start.wait()
        try:
            Document.objects.get(pk=document.pk).keep(make_pdf, now=timezone.now())
        finally:
            locks.close()
            connection.close()

    papers.html_of, threads = counted, [threading.Thread(target=work) for _ in range(count)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        papers.html_of = real
    return len(made)


def test_of_many_workers_one_makes_the_pdf(issued: Callable[..., Document]) -> None:
    document = issued()

    assert _at_once(document, 6) == 1
    assert Pdf.objects.count() == 1


def test_without_the_lock_several_make_it(issued: Callable[..., Document], monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    @contextmanager
    def free(name: str) -> Any:
        yield True

    document = issued()
    monkeypatch.setattr(promise, "session_lock", free)

    assert _at_once(document, 6) > 1
    assert Pdf.objects.count() == 1  # the fence and the unique row still hold


def test_document_that_cannot_be_made_is_shown_as_broken(
    issued: Callable[..., Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = issued()
    monkeypatch.setattr(papers, "html_of", lambda _: '<img src="file:///etc/passwd">')

    document.keep(make_pdf, now=timezone.now())

    document.refresh_from_db()
    assert document.state == State.BROKEN
    assert "outside" in document.problem
    assert not Pdf.objects.exists()


def test_broken_document_is_made_when_asked_again(
    issued: Callable[..., Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = issued()
    with monkeypatch.context() as patch:
        patch.setattr(papers, "html_of", lambda _: '<img src="file:///etc/passwd">')
        document.keep(make_pdf, now=timezone.now())

    operations.make_again(document_id=document.pk, by=None, now=timezone.now())
    tasks.render(str(document.pk))

    document.refresh_from_db()
    assert (document.state, document.attempts, document.problem) == (State.KEPT, 1, "")


def test_task_of_a_document_that_is_gone_does_nothing(db: Any) -> None:
    tasks.render("00000000-0000-4000-8000-000000000000")


def test_problem_never_repeats_the_document(issued: Callable[..., Document], monkeypatch: pytest.MonkeyPatch) -> None:
    document = issued()

    def fails(each: Document) -> str:
        raise LastingProblem("words of ours")

    monkeypatch.setattr(papers, "html_of", fails)
    document.keep(make_pdf, now=timezone.now())

    document.refresh_from_db()
    assert document.problem == "words of ours"
