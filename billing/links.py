"""Links that open a document without logging in: unguessable, with an end, revocable.

A token is a keyed digest of the link's id under ``SECRET_KEY``, so it can be shown again and needn't be stored: the
row has only the token's own digest, and a copy of the database opens nothing. After a change of ``SECRET_KEY`` links
given out before still work, since they are checked against the stored digest; only showing them again doesn't.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.crypto import salted_hmac

from billing.models import Document, DocumentLink

#: how long a link works after it was made
LIVES = timedelta(days=60)


def give(document: Document, *, now: datetime) -> DocumentLink:
    """Make a link to the document."""
    link = DocumentLink(document=document, created_at=now, expires_at=now + LIVES)
    link.token_sha256 = _digest(_token(link))
    link.save(force_insert=True)
    return link


def address(document: Document, *, now: datetime) -> str:
    """The path of a link that still opens the document; empty when there is none. Uses prefetched ``links``."""
    for link in document.links.all():
        if link.revoked_at is None and link.expires_at > now and (path := path_of(link)):
            return path
    return ""


def path_of(link: DocumentLink) -> str:
    """Where the link leads; empty when its token can't be made again."""
    token = _token(link)
    if not hmac.compare_digest(_digest(token), link.token_sha256):
        return ""  # made under another SECRET_KEY
    # no name of a person here: paths end in histories and in logs of others
    return reverse("billing:document", args=[token, f"{link.document.kind}-{link.document.number}"])


def find(token: str, *, now: datetime) -> DocumentLink | None:
    """The living link of a token."""
    return DocumentLink.objects.alive(now).select_related("document").filter(token_sha256=_digest(token)).first()


def _token(link: DocumentLink) -> str:
    keyed = salted_hmac("billing.links", str(link.pk), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(keyed).rstrip(b"=").decode()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
