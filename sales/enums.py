"""The states of the trade and the moves between them; imports nothing of ours."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stage(models.TextChoices):
    """How far a lead has come."""

    NEW = "new", _("new")
    QUALIFIED = "qualified", _("qualified")
    PROPOSAL = "proposal", _("proposal sent")
    WON = "won", _("won")
    LOST = "lost", _("lost")


MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.NEW: frozenset({Stage.QUALIFIED, Stage.PROPOSAL, Stage.LOST}),
    Stage.QUALIFIED: frozenset({Stage.PROPOSAL, Stage.WON, Stage.LOST}),
    Stage.PROPOSAL: frozenset({Stage.QUALIFIED, Stage.WON, Stage.LOST}),
    Stage.WON: frozenset(),
    Stage.LOST: frozenset({Stage.NEW}),
}


class Mode(models.TextChoices):
    """Who leads the conversation. ``waiting``: a person was called, the assistant helps on until one comes."""

    ASSISTANT = "assistant", _("assistant")
    WAITING = "waiting", _("waiting for a person")
    OPERATOR = "operator", _("operator")
    CLOSED = "closed", _("closed")


class Direction(models.TextChoices):
    IN = "in", _("from the customer")
    OUT = "out", _("to the customer")


class Author(models.TextChoices):
    CUSTOMER = "customer", _("customer")
    ASSISTANT = "assistant", _("assistant")
    OPERATOR = "operator", _("operator")
    SYSTEM = "system", _("system")


class HandoverReason(models.TextChoices):
    """Why a person is called into a conversation."""

    ASKED = "asked_for_person", _("asked for a person")
    ANGRY = "angry", _("is angry")
    LOOP = "loop", _("asks the same again")
    OUT_OF_SCOPE = "out_of_scope", _("outside of what the assistant does")
    APPROVAL = "needs_approval", _("needs an approval")
    PAYMENT_OR_LEGAL = "payment_or_legal", _("payment or legal question")
    NO_ANSWER = "no_grounded_answer", _("no answer that can be proven")
    VENDORS_DOWN = "vendors_down", _("the assistant could not answer")


class NoticeKind(models.TextChoices):
    """What staff are told of without having asked."""

    BUDGET = "budget", _("budget reached")
    MODEL_RETIRED = "model_retired", _("model retired")
    KEY_REFUSED = "key_refused", _("key refused")
    HANDOVER = "handover", _("a customer waits for a person")
    CONTACT = "contact", _("a new contact")
    DELIVERY = "delivery", _("a message has not arrived for certain")
    PURCHASE = "purchase", _("nobody knows whether it was bought")
