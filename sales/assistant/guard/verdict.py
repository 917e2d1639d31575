"""What the guard has to say about a draft."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong with a piece of a draft."""

    AMOUNT = "amount"
    ATTRIBUTION = "attribution"
    LINK = "link"
    PROMISE = "promise"
    LEAK = "leak"
    #: the guard itself has failed: nothing is known, so nothing leaves
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """A piece that may not leave, and what its writer should do about it, in words for a model."""

    kind: Kind
    piece: str
    why: str


@dataclass(frozen=True)
class Verdict:
    """Whether a draft may leave, and all that speaks against it."""

    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Verdict:
        return cls(tuple(dict.fromkeys(findings)))

    @property
    def passed(self) -> bool:
        return not self.findings

    @property
    def unproven(self) -> tuple[str, ...]:
        """The pieces, each once."""
        return tuple(dict.fromkeys(finding.piece for finding in self.findings))

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(dict.fromkeys(finding.kind for finding in self.findings))

    @property
    def steps(self) -> list[dict[str, str]]:
        """For the trace: kind and piece of each finding."""
        return [{"kind": finding.kind.value, "piece": finding.piece} for finding in self.findings]

    @property
    def words(self) -> str:
        """For the model: what to change. It gets one more try."""
        listed = "\n".join(f"- «{finding.piece}»: {finding.why}" for finding in self.findings[:12])
        return (
            "The reply was not sent. Write it anew without what is listed here, from what the tools and passages say;"
            f" if nothing is left to say, tell the customer so and call a person with sales__call_person.\n{listed}"
        )


BROKEN = Verdict((Finding(Kind.BROKEN, "", "The reply could not be checked. Write it shorter and plainer."),))
EMPTY = Verdict((Finding(Kind.BROKEN, "", "The reply says nothing that can be seen. Answer the customer."),))
