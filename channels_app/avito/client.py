"""Avito's API as it is: a token, the messenger, the account. Knows nothing of what we do with it.

https://developers.avito.ru/api-catalog. The versions in the paths are mixed by the vendor: sending is v1, chats are
v2, messages and the webhook v3.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from common.problems import LastingProblem, TemporaryProblem
from common.scrubbing import scrub
from common.vendor_http import SECONDS, Answer, Vendor
from common.vendor_token import SharedToken

VENDOR = "avito"
#: a token lives a day; it is renewed so many seconds before its end
EARLY = 600.0
#: what a token lives where the vendor doesn't say it
LIFE = 86_400.0
#: of chats and messages, at most so many come at once, and none is reachable beyond the offset
PAGE, OFFSET_MOST = 100, 1000


class Refused(LastingProblem):
    """The vendor says no. ``status`` is HTTP's, ``code`` and ``words`` the vendor's own."""

    def __init__(self, operation: str, *, status: int, code: str = "", words: str = "") -> None:
        self.operation, self.status, self.code, self.words = operation, status, code, words
        super().__init__(f"avito {operation}: {status} {code} {words}".strip())


class KeysRefused(Refused):
    """No token is given for these keys, or none of its tokens is taken."""


class NoSubscription(Refused):
    """The account has no right to this part of the API: mostly its tariff lacks the messenger."""


class NoMoney(Refused):
    """The account's money isn't enough."""


@dataclass(frozen=True)
class Client:
    """One account. ``user_id`` is needed for all but ``me`` and ``request`` with a path of its own."""

    root: str
    client_id: str
    client_secret: str = field(repr=False)
    user_id: int = 0

    # --- the messenger ------------------------------------------------------------------------------------------

    def chats(self, *, unread_only: bool = False, limit: int = PAGE, offset: int = 0) -> list[dict[str, Any]]:
        """Chats about listings and between users, those of Avito itself left out."""
        params = {"chat_types": "u2i,u2u", "limit": limit, "offset": offset}
        if unread_only:
            params["unread_only"] = "true"
        found = self.request("GET", f"/messenger/v2/accounts/{self.user_id}/chats", operation="chats", params=params)
        return _rows(found, "chats")

    def chat(self, chat: str) -> dict[str, Any]:
        found = self.request("GET", self._chat(chat, version=2), operation="chat")
        return found if isinstance(found, dict) else {}

    def messages(self, chat: str, *, limit: int = PAGE, offset: int = 0) -> list[dict[str, Any]]:
        """Newest first. Reading them doesn't mark the chat as read."""
        found = self.request(
            "GET",
            f"{self._chat(chat, version=3)}/messages/",
            operation="messages",
            params={"limit": limit, "offset": offset},
        )
        return _rows(found, "messages")

    def send_text(self, chat: str, text: str) -> dict[str, Any]:
        """At most 1000 characters, plain. No key makes it safe to repeat: what is in doubt has to be read back."""
        found = self.request(
            "POST",
            f"{self._chat(chat)}/messages",
            operation="send",
            json={"message": {"text": text}, "type": "text"},
            repeatable=False,
        )
        return found if isinstance(found, dict) else {}

    def send_image(self, chat: str, image_id: str) -> dict[str, Any]:
        found = self.request(
            "POST",
            f"{self._chat(chat)}/messages/image",
            operation="send_image",
            json={"image_id": image_id},
            repeatable=False,
        )
        return found if isinstance(found, dict) else {}

    def upload_image(self, data: bytes, *, name: str = "image.png", media_type: str = "image/png") -> str:
        """The id to send it by. One image, at most 24 MB."""
        found = self.request(
            "POST",
            f"/messenger/v1/accounts/{self.user_id}/uploadImages",
            operation="upload_image",
            files={"uploadfile[]": (name, data, media_type)},
        )
        return next(iter(found), "") if isinstance(found, dict) else ""

    def delete(self, chat: str, message_id: str) -> None:
        """Take a message of ours back, within an hour of its sending; it stays as *deleted*."""
        path = f"{self._chat(chat)}/messages/{quote(message_id, safe='')}"
        self.request("POST", path, operation="delete")

    def read(self, chat: str) -> None:
        """Mark a chat as read."""
        self.request("POST", f"{self._chat(chat)}/read", operation="read", seconds=5, tries=1)

    def voice_file(self, voice_id: str) -> str:
        """The address of a voice message, good for an hour; empty where there is none."""
        found = self.request(
            "GET",
            f"/messenger/v1/accounts/{self.user_id}/getVoiceFiles",
            operation="voice",
            params={"voice_ids": voice_id},
        )
        urls = found.get("voices_urls") if isinstance(found, dict) else None
        return str(urls.get(voice_id) or "") if isinstance(urls, dict) else ""

    def block(self, user_id: int, *, reason: int, item_id: int | None = None) -> None:
        """Put a user on the black list. Only for a person to ask: 1 spam, 2 fraud, 3 insults, 4 other."""
        context: dict[str, Any] = {"reason_id": reason} | ({"item_id": item_id} if item_id else {})
        self.request(
            "POST",
            f"/messenger/v2/accounts/{self.user_id}/blacklist",
            operation="blacklist",
            json={"users": [{"user_id": user_id, "context": context}]},
        )

    # --- the webhook --------------------------------------------------------------------------------------------

    def subscriptions(self) -> list[dict[str, Any]]:
        """Each ``{"url", "version"}``."""
        return _rows(self.request("POST", "/messenger/v1/subscriptions", operation="subscriptions"), "subscriptions")

    def subscribe(self, url: str) -> None:
        try:
            self.request("POST", "/messenger/v3/webhook", operation="subscribe", json={"url": url})
        except Refused as problem:
            if problem.status != 409:  # it stands already
                raise

    def unsubscribe(self, url: str) -> None:
        self.request("POST", "/messenger/v1/webhook/unsubscribe", operation="unsubscribe", json={"url": url})

    # --- the account --------------------------------------------------------------------------------------------

    def me(self) -> dict[str, Any]:
        """Who the keys belong to: ``id``, ``name``, ``email``, ``phone``, ``profile_url``."""
        found = self.request("GET", "/core/v1/accounts/self", operation="self", seconds=4)
        return found if isinstance(found, dict) else {}

    def balance(self) -> dict[str, Any]:
        """``real`` and ``bonus``, in roubles."""
        found = self.request("GET", f"/core/v1/accounts/{self.user_id}/balance/", operation="balance")
        return found if isinstance(found, dict) else {}

    # --- what all calls have ------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        files: Any = None,
        repeatable: bool = True,
        seconds: float = SECONDS,
        tries: int = 3,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One call with our token; a token that isn't taken is renewed once. Returns the JSON, None for an empty body.

        ``operation`` is a short word: it is a label of metrics. Raises ``Refused`` and what ``common.problems`` names.
        """
        ends = time.monotonic() + seconds  # a token that has to be renewed takes of the same time
        token = self._token().get()
        for renewed in (False, True):
            answer = self._vendor().call(
                method,
                path,
                operation=operation,
                repeatable=repeatable,
                seconds=max(1.0, ends - time.monotonic()),
                tries=tries,
                headers={"Authorization": f"Bearer {token}", "Accept": "application/json", **(headers or {})},
                params=params,
                json=json,
                files=files,
            )
            if renewed or not _is_of_the_token(answer):
                break
            token = self._token().get(stale=token)
        if not answer.ok:
            raise _refusal(answer)
        return answer.json() if answer.body.strip() else None

    def forget_token(self) -> None:
        self._token().forget()

    def _vendor(self) -> Vendor:
        return Vendor(VENDOR, self.root)

    def _token(self) -> SharedToken:
        account = "\n".join((self.root, self.client_id, self.client_secret))
        return SharedToken(VENDOR, account, self._renew, early=EARLY)

    def _renew(self) -> tuple[str, float]:
        answer = self._vendor().call(
            "POST",
            "/token",
            operation="token",
            repeatable=True,
            seconds=4,
            form={
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            },
        )
        given = answer.error()
        token, life = given.get("access_token"), given.get("expires_in")
        if not answer.ok or not isinstance(token, str) or not token.isascii() or not token.strip():
            code, words = _words_of(given)
            # an error's body may come with 200; without a token the keys are wrong, whatever the number
            raise KeysRefused("token", status=answer.status, code=code, words=words)
        lasts = isinstance(life, int | float) and not isinstance(life, bool) and life > 0
        return token.strip(), float(life) if lasts else LIFE  # type: ignore[arg-type]

    def _chat(self, chat: str, *, version: int = 1) -> str:
        return f"/messenger/v{version}/accounts/{self.user_id}/chats/{quote(chat, safe='')}"


def _rows(found: Any, name: str) -> list[dict[str, Any]]:
    """The vendor's specification has a bare list where its servers send an object around it: both are taken."""
    rows = found.get(name) if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise TemporaryProblem(f"avito {name}: an answer of another shape")
    return [row for row in rows if isinstance(row, dict)]


def _is_of_the_token(answer: Answer) -> bool:
    """An expired token is 403 by the vendor's own words, and 401 sometimes; other 403s mean a right that is lacking."""
    return answer.status == 401 or (answer.status == 403 and b"token" in answer.body[:2000].lower())


def _refusal(answer: Answer) -> Refused:
    code, words = _words_of(answer.error())
    kind = {401: KeysRefused, 402: NoSubscription, 403: NoSubscription}.get(answer.status, Refused)
    if answer.status == 403 and _is_of_the_token(answer):
        kind = KeysRefused
    return kind(answer.operation, status=answer.status, code=code, words=words)


def _words_of(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of an error, in whichever of the vendor's shapes."""
    places: Sequence[Any] = (body.get("error"), _inside(body.get("result"), "error"), body.get("result"), body)
    for place in places:
        if isinstance(place, str):
            return "", scrub(place)[:200]
        if isinstance(place, dict) and (place.get("message") or place.get("code")):
            code, message = place.get("code"), place.get("message")
            return (str(code)[:40] if isinstance(code, str | int) else ""), scrub(str(message or ""))[:200]
    return "", ""


def _inside(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
