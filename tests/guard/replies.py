"""Ordinary replies with what they rest on, a line each: evidence, what was said, the reply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sales.assistant import guard
from sales.assistant.protocol import Heard, ToolResult
from tests.guard import stage


@dataclass(frozen=True)
class Case:
    said: str
    reply: str
    results: tuple[ToolResult, ...]
    heard: tuple[Heard, ...]
    waiting: bool = False

    def judge(self) -> guard.Verdict:
        return guard.inspect(self.reply, results=self.results, heard=self.heard, waiting=self.waiting)


def cases(file: str) -> Iterator[Case]:
    for line in (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield read(line)


def read(line: str) -> Case:
    evidence, said, reply = (part.strip() for part in line.split(" | ", 2))
    language = "en" if evidence.split()[0] == "en" else "ru"
    results: list[ToolResult] = []
    waiting, operator = False, ""
    if evidence.startswith("op:"):
        operator, evidence = evidence[3:], "-"
    for word in evidence.split():
        kind, _, names = word.partition(":")
        match kind:
            case "a":
                results.append(stage.search(*names.split(",")))
            case "q":
                results.append(stage.quote(names, language))
            case "list":
                results.append(stage.price_list(language))
            case "proposal":
                results.append(stage.proposal())
            case "called":
                results.append(stage.called())
            case "saved":
                results.append(stage.saved(*names.split(",")))
            case "waiting":
                waiting = True
            case "en" | "-":
                pass
            case _:
                raise ValueError(f"no such evidence: {word}")
    masked = said
    for mark, value in (("[ТЕЛЕФОН_1]", "+7 916 123-45-67"), ("[ПОЧТА_1]", "ivan@mail.ru")):
        masked = masked.replace(value, mark)
    heard = [Heard("operator", operator, 1)] if operator else []
    heard.append(Heard("customer", masked, 2, pending=True))
    return Case(masked, reply.replace("\\n", "\n"), tuple(results), tuple(heard), waiting)
