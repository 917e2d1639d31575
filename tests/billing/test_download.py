"""What the holder of a link gets, and what everyone else gets."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from pypdf import PdfReader

from billing import links, operations, views
from billing.models import Document, DocumentLink
from billing.operations import make_pdf
from common import locks
from common.promise import State

pytestmark = pytest.mark.django_db(transaction=True)


def address(document: Document) -> str:
    return links.address(document, now=timezone.now())


def soon(work: Callable[..., Any], **arguments: Any) -> threading.Thread:
    """Do it half a second later in a thread of its own, as a worker does while a request waits."""

    def run() -> None:
        time.sleep(0.5)
        try:
            work(**arguments)
        finally:
            locks.close()
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_link_shows_the_pdf(client: Client, printed: Callable[..., Document]) -> None:
    document = printed()

    answer = client.get(address(document))

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert len(PdfReader(io.BytesIO(answer.content)).pages) == 1
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "Content-Security-Policy" not in answer  # it would stop the browser's own viewer
    name = unquote(answer["Content-Disposition"])
    assert name.startswith("inline; ")
    assert name.endswith(f"Коммерческое предложение № {document.number} от {document.issued_on:%d.%m.%Y}.pdf")


def test_name_of_the_customer_is_not_in_the_address(issued: Callable[..., Document]) -> None:
    document = issued()

    where = address(document)

    assert where.startswith("/documents/")
    assert where.endswith(f"/proposal-{document.number}.pdf")
    assert resolve(where).view_name == "billing:document"


def test_head_is_answered_and_post_is_not(client: Client, printed: Callable[..., Document]) -> None:
    where = address(printed())

    assert client.head(where).status_code == 200
    assert client.post(where).status_code == 405


def _wrong(where: str, document: Document) -> dict[str, str]:
    token = where.split("/")[2]
    return {
        "one letter more": where.replace(token, f"{token}A"),
        "one letter less": where.replace(token, token[:-1]),
        "another letter": where.replace(token, ("A" if token[0] != "A" else "B") + token[1:]),
        "the document's id": f"/documents/{document.pk}/x.pdf",
        "the stored digest": f"/documents/{DocumentLink.objects.get().token_sha256}/x.pdf",
        "other scripts": "/documents/%D1%8B%F0%9F%98%80%00/x.pdf",
        "broken bytes": "/documents/%ff%fe/x.pdf",
    }


def test_wrong_revoked_and_ended_links_look_the_same(client: Client, printed: Callable[..., Document]) -> None:
    document = printed()
    where = address(document)

    answers = [client.get(wrong) for wrong in _wrong(where, document).values()]
    DocumentLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answers.append(client.get(where))
    DocumentLink.objects.update(expires_at=timezone.now() + timedelta(days=1))
    operations.revoke_links(document_id=document.pk, by=None, now=timezone.now())
    answers.append(client.get(where))

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "недоступен" in answers[0].content.decode()


def test_link_waits_for_the_pdf(client: Client, issued: Callable[..., Document]) -> None:
    document = issued()
    started = time.monotonic()

    worker = soon(document.keep, fulfil=make_pdf, now=timezone.now())
    answer = client.get(address(document))
    worker.join()

    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    assert 0.5 < time.monotonic() - started < 10


def test_link_gives_up_waiting_with_a_page_that_looks_again(
    client: Client, issued: Callable[..., Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAITS", 0.5)

    answer = client.get(address(issued()))

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "ещё готовится" in answer.content.decode()
    assert 'http-equiv="refresh" content="5"' in answer.content.decode()


def test_link_of_a_broken_document_says_so_at_once(client: Client, issued: Callable[..., Document]) -> None:
    document = issued()
    Document.objects.update(state=State.BROKEN, problem="some words for staff")

    answer = client.get(address(document))

    assert answer.status_code == 503
    assert answer["Retry-After"] == "3600"
    assert "some words" not in answer.content.decode()


def test_file_that_is_there_is_given_while_it_is_made_again(client: Client, printed: Callable[..., Document]) -> None:
    document = printed()
    operations.make_again(document_id=document.pk, by=None, now=timezone.now())

    assert client.get(address(document)).status_code == 200


def test_link_revoked_while_it_waits_ends_the_wait(client: Client, issued: Callable[..., Document]) -> None:
    document = issued()

    staff = soon(operations.revoke_links, document_id=document.pk, by=None, now=timezone.now())
    answer = client.get(address(document))
    staff.join()

    assert answer.status_code == 404


def test_path_of_a_link_is_never_logged(
    client: Client, issued: Callable[..., Document], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAITS", 0.1)
    where = address(issued())
    token = where.split("/")[2]

    waiting = client.get(where).status_code
    DocumentLink.objects.update(revoked_at=timezone.now())
    gone = client.get(where).status_code

    assert (waiting, gone) == (503, 404)
    assert [record.getMessage() for record in caplog.records if token in str(record.__dict__)] == []


def test_waiting_gives_the_connection_back_after_each_look(
    client: Client, issued: Callable[..., Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[Any] = []
    close = views.close_old_connections
    monkeypatch.setattr(views, "close_old_connections", lambda: (given_back.append(1), close()))
    monkeypatch.setattr(views, "WAITS", 0.6)

    client.get(address(issued()))

    assert len(given_back) > 3
