"""One turn of the assistant in the terminal."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.promise import State
from sales import operations
from sales.assistant import turn as turns
from sales.models import Conversation, Turn
from sales.queries import as_wire


class Command(BaseCommand):
    help = "Ask the assistant something and print its reply."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("text", help="what a customer would write")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the reply and its trace as JSON")
        parser.add_argument("--conversation", help="go on with an earlier conversation: the id that --json printed")

    def handle(self, *args: Any, text: str, as_json: bool, conversation: str | None, **options: Any) -> None:
        if not text.strip():
            raise CommandError("The text is empty. Write what a customer would ask.")
        if len(text) > operations.TEXT_MOST:
            raise CommandError(f"The text is too long: at most {operations.TEXT_MOST} characters.")
        now = timezone.now()
        talk = self._conversation(conversation)
        operations.receive(conversation_id=talk.pk, external_id=uuid.uuid4().hex, text=text, now=now)
        Turn.objects.filter(conversation=talk, state=State.DUE).update(due_at=now)  # nobody else will type
        turns.answer(talk.pk)
        turn = _settled(talk)
        if turn is None or turn.reply is None:
            raise CommandError("There is no answer yet; the state of this turn stands in the admin.")
        if not as_json:
            self.stdout.write(_readable(as_wire(turn.reply)))
            return
        calls = [
            {"name": call.name, "arguments": call.arguments, "result": call.result, "refused": call.failed}
            for call in turn.tool_calls.all()
        ]
        answer = {
            "conversation": str(talk.pk),
            "reply": as_wire(turn.reply),
            "trace": {**turn.trace, "model": turn.model, "tools": calls},
        }
        self.stdout.write(json.dumps(answer, ensure_ascii=False))

    def _conversation(self, known: str | None) -> Conversation:
        if known is None:
            return operations.open_conversation(channel="terminal", external_id=uuid.uuid4().hex, now=timezone.now())
        try:
            return Conversation.objects.get(pk=uuid.UUID(known), channel="terminal")
        except (ValueError, Conversation.DoesNotExist):
            raise CommandError("There is no such conversation in the terminal.") from None


def _settled(talk: Conversation) -> Turn | None:
    """The last turn, once it has an answer or a problem: a worker that runs too may have been the quicker one."""
    last = time.monotonic() + Turn.LEASE.total_seconds()
    while True:
        turn = Turn.objects.select_related("reply").filter(conversation=talk).order_by("-opened_at").first()
        open_ = turn is not None and turn.state in {State.DUE, State.TAKEN} and not turn.problem
        if not open_ or time.monotonic() > last:
            return turn
        time.sleep(0.1)


def _readable(reply: dict[str, Any]) -> str:
    lines = [reply["text"]]
    for card in reply["cards"]:
        lines.append(f"[{card['kind']}] {card['text']}" + (f" {card['url']}" if card.get("url") else ""))
    if reply["citations"]:
        lines.append("Источники: " + ", ".join(each["title"] for each in reply["citations"]))
    return "\n\n".join(lines)
