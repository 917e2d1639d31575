"""One tiny call of a model at the wish of staff, and what it means in their words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from common.masking import Masker
from knowledge.llm import breaker, profiles
from knowledge.llm.asking import Occasion, ask
from knowledge.llm.chat import Failure, ModelFailed, Prompt, Said
from knowledge.llm.models import CallOutcome, ModelProfile, Purpose

_PROMPT = Prompt(system="Ты отвечаешь одним словом.", parts=(Said("user", "Ответь словом «готов»."),))

ADVICE: Mapping[Failure, Any] = {
    Failure.TIMEOUT: _("It is slow or overloaded now. If it stays so, put another one before it."),
    Failure.CONNECTION: _(
        "Check the address, and whether this server may reach it: a firewall, a proxy, certificates."
    ),
    Failure.LIMITED: _("The account's limit of requests is reached: wait, or have it raised by the vendor."),
    Failure.NO_MONEY: _("Top up the account at the vendor, or raise its limit of spending there."),
    Failure.KEY: _("Put a valid key into the variable of the environment and start the product again."),
    Failure.COUNTRY: _(
        "The vendor doesn't serve addresses of this country: give the address of a reseller or of a proxy."
    ),
    Failure.NO_MODEL: _("The model's id is wrong, or the model was retired: choose another id."),
    Failure.TOO_LONG: _("Lower the tokens that question and answer may have."),
    Failure.BAD_REQUEST: _("The server doesn't know something that we send: see the options, above all answer_limit."),
    Failure.SERVER: _("The vendor has a failure; its status page may tell more."),
    Failure.BROKEN: _("The connection broke off in the middle: try again; a proxy on the way may cut streams."),
    Failure.MALFORMED: _("This is no answer of such a model: check the dialect and the address."),
    Failure.FILTERED: _("The vendor's filter stopped a harmless question: ask its support."),
}


@dataclass(frozen=True)
class Checked:
    """How the check went: ``problem`` and ``advice`` are empty when the model has answered."""

    ms: int = 0
    tokens: int = 0
    problem: str = ""
    advice: str = ""

    @property
    def good(self) -> bool:
        return not self.problem


def check(row: ModelProfile) -> Checked:
    """Ask the model something tiny, now. An answer closes the breaker; a failure doesn't open it further."""
    why = profiles.off(row, active=True)
    if why:
        return Checked(problem=str(_OFF[why]), advice=str(_("Set the variable and start the product again.")))
    breaker.close(row.slug)
    started = time.monotonic()
    try:
        answer = ask(
            _PROMPT,
            profile=profiles.profile_of(row),
            hides=Masker(),
            seconds=float(settings.MODEL_CALL_SECONDS),
            occasion=Occasion(purpose=Purpose.CHECK),
        )
    except ModelFailed as failed:
        problem = f"{CallOutcome(failed.failure.value).label} ({failed.words})"
        return Checked(problem=problem, advice=str(ADVICE[failed.failure]))
    ms = round((time.monotonic() - started) * 1000)
    return Checked(ms=ms, tokens=answer.usage.prompt + answer.usage.answer)


_OFF = {
    "no key": _("its key isn't set"),
    "no folder": _("the folder isn't set"),
    "no model": _("no model is named"),
    "no address": _("no address is given"),
    "switched off by staff": _("switched off by staff"),
}


def why_off(row: ModelProfile) -> str:
    """Why a model isn't asked, for staff."""
    why = profiles.off(row)
    return str(_OFF[why]) if why else ""
