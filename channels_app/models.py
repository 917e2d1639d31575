"""What a channel needs to know of a conversation beside what the ground knows."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedTextField
from sales.models import Conversation


class Thread(models.Model):
    """A conversation as its channel sees it: for the web chat, who may enter it and where it began.

    Of the visitor's token only a digest is kept. The visitor's network address stands in the consent and nowhere else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="thread", verbose_name=_("conversation")
    )
    token_digest = models.CharField(max_length=64, editable=False)
    page_url = EncryptedTextField(_("page"), label="channels_app.thread.page_url", blank=True, default="")
    read_seq = models.PositiveIntegerField(_("read up to"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("token valid until"))

    class Meta:
        verbose_name = _("thread")
        verbose_name_plural = _("threads")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"
