"""The back office of the ground floor: people, leads, conversations, what is stuck."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from common.admin import STATE_LABELS, ReadOnlyAdmin, instead, link_to
from common.fields import EncryptedTextField, readable
from common.markdown import to_html
from sales import notices, operations
from sales.duty import admin as _duty  # noqa: F401  registers its pages
from sales.enums import HandoverReason, Mode, NoticeKind, Stage
from sales.models import Consent, Conversation, Handover, Lead, Message, Notice, Turn, User
from sales.panels import links_to_sources, panels_of, panels_of_messages, panels_of_turn
from sales.qualification import admin as qualification
from sales.qualification import scoring
from sales.stuck import stuck_rows

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = [*super().get_readonly_fields(request, obj), "last_login", "date_joined"]
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return _readable_rights(super().formfield_for_manytomany(db_field, request, **kwargs), db_field)


def _may_touch(request: HttpRequest, user: Any) -> bool:
    """Only a superuser changes or deletes one: a password set anew would give away the right to everything."""
    return user is None or not user.is_superuser or request.user.is_superuser


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        return _readable_rights(super().formfield_for_manytomany(db_field, request=request, **kwargs), db_field)


RIGHTS = {
    "add": _("add"),
    "change": _("change"),
    "delete": _("delete"),
    "view": _("view"),
    "again": _("ask again"),
    "promote": _("spend money"),
}
#: apps of others whose tables staff never see
INNER = ("admin", "axes", "contenttypes", "sessions", "django_celery_beat")


def _readable_rights(field: Any, db_field: Any) -> Any:
    """Rights in the language of the page (Django keeps their names in English), without those that open nothing."""
    if db_field.name in {"permissions", "user_permissions"}:
        rights = Permission.objects.exclude(content_type__app_label__in=INNER).exclude(codename__contains="_historical")
        field.queryset = rights.select_related("content_type")
        field.label_from_instance = _words_of_right
    return field


def _words_of_right(right: Any) -> str:
    verb = right.codename.split("_")[0]
    return f"{right.content_type.app_labeled_name} | {RIGHTS.get(verb, right.name)}"


MODE_LABELS = {Mode.ASSISTANT: "info", Mode.WAITING: "danger", Mode.OPERATOR: "success", Mode.CLOSED: "default"}
STAGE_LABELS = {
    Stage.NEW: "default",
    Stage.QUALIFIED: "info",
    Stage.PROPOSAL: "warning",
    Stage.WON: "success",
    Stage.LOST: "danger",
}


class ChannelFilter(admin.AllValuesFieldListFilter):
    """By channel, each called as the page's language calls it."""

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            yield {**choice, "display": gettext(str(choice["display"]))}


class HandoverFilter(admin.SimpleListFilter):
    """Conversations where a person is waited for, by the reason."""

    title = _("why a person was called")
    parameter_name = "handover"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return HandoverReason.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        return queryset.filter(pk__in=Handover.objects.open().filter(reason=self.value()).values("conversation"))


#: the latest calls for a person on a conversation's page
HANDOVERS = 10


@admin.register(Lead)
class LeadAdmin(ModelAdmin):
    """Leads. They are searched by phone, by e-mail, or by whole words of the name or the company."""

    list_display = ["who", "how_to_reach", "of_company", "of_channel", "status", "score", "created_at"]
    list_filter = ["stage", ("channel", ChannelFilter), "created_at"]
    list_per_page = 20
    search_fields = ["pk"]  # shows the field; `get_search_results` does the search, over keyed digests
    search_help_text = _("A whole phone number or e-mail, or whole words of the name or company.")
    readonly_fields = [
        "of_manager",
        "of_channel",
        "score_and_why",
        "facts_told",
        "created_at",
        "updated_at",
        "conversations_and_more",
        "consents_given",
    ]
    fieldsets = (
        (None, {"fields": ["name", "phone", "email", "company"]}),
        (_("Work"), {"fields": ["stage", "manager", "score_and_why", "of_channel", "created_at", "updated_at"]}),
        (_("What the customer has told"), {"fields": ["facts_told"]}),
        (_("What there is"), {"fields": ["conversations_and_more", "consents_given"]}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        plain = {} if self.has_change_permission(request, obj) else {"manager": "of_manager"}
        may_read = request.user.has_perm("sales.view_leadfact")
        return [
            (title, {**options, "fields": instead(options["fields"], plain)})
            for title, options in super().get_fieldsets(request, obj)
            if may_read or "facts_told" not in options["fields"]
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.score = scoring.score(obj)
        super().save_model(request, obj, form, change)

    @display(description=_("score"))
    def score_and_why(self, lead: Lead) -> SafeString:
        return qualification.score_of(lead)

    @display(description=_("facts"))
    def facts_told(self, lead: Lead) -> SafeString:
        return qualification.facts_of(lead)

    @display(description=_("manager"))
    def of_manager(self, lead: Lead) -> SafeString | str:
        return link_to(lead.manager)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, EncryptedTextField):
            kwargs["widget"] = (
                UnfoldAdminTextInputWidget  # a line each; what is longer comes from a channel, not a form
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a lead begins with a conversation

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.known_as(search_term) if search_term.strip() else queryset), False

    @display(description=_("name"))
    def who(self, lead: Lead) -> str:
        return readable(lead, "name") or gettext("unnamed")

    @display(description=_("contact"))
    def how_to_reach(self, lead: Lead) -> str:
        return ", ".join(filter(None, [readable(lead, "phone"), readable(lead, "email")])) or "—"

    @display(description=_("company"))
    def of_company(self, lead: Lead) -> str:
        return readable(lead, "company") or "—"

    @display(description=_("channel"), ordering="channel")
    def of_channel(self, lead: Lead) -> str:
        return gettext(lead.channel)

    @display(description=_("stage"), label=STAGE_LABELS, ordering="stage")
    def status(self, lead: Lead) -> tuple[str, str]:
        return lead.stage, lead.get_stage_display()

    @display(description=_("Conversations and documents"))
    def conversations_and_more(self, lead: Lead) -> SafeString:
        talks = [link_to(talk) for talk in lead.conversations.order_by("-created_at")[:50]]
        return _joined([*talks, *(panel for panel in panels_of(lead))])

    @display(description=_("consents"))
    def consents_given(self, lead: Lead) -> SafeString:
        return _joined(
            format_html(
                "{}: {} · {}",
                consent.version,
                f"{timezone.localtime(consent.given_at):%d.%m.%Y %H:%M}",
                gettext(consent.channel),
            )
            for consent in lead.consents.all()
        )


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["version", "lead", "of_channel", "given_at"]
    list_select_related = ["lead"]
    list_per_page = 20
    fields = ["lead", "version", "text_sha256", "given_at", "address", "user_agent", "of_channel"]
    readonly_fields = ["of_channel"]

    @display(description=_("channel"), ordering="channel")
    def of_channel(self, consent: Consent) -> str:
        return gettext(consent.channel)


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Conversations, read whole, each answer with how it came about."""

    list_display = ["__str__", "with_whom", "led_by", "last_seq", "last_message_at", "created_at"]
    list_filter = ["mode", HandoverFilter, ("channel", ChannelFilter), "created_at"]
    list_select_related = ["lead", "operator"]
    list_per_page = 20
    change_form_template = "admin/sales/conversation.html"

    @display(description=_("lead"))
    def with_whom(self, conversation: Conversation) -> SafeString | str:
        return link_to(conversation.lead, readable(conversation.lead, "name") or gettext("unnamed"))

    @display(description=_("led by"), label=MODE_LABELS, ordering="mode")
    def led_by(self, conversation: Conversation) -> tuple[str, str]:
        return conversation.mode, conversation.get_mode_display()

    def get_urls(self) -> list[Any]:
        own = [
            path(
                "<uuid:pk>/do/<slug:verb>/",
                self.admin_site.admin_view(self.act),
                name="sales_conversation_act",
            ),
            path("<uuid:pk>/state/", self.admin_site.admin_view(self.state), name="sales_conversation_state"),
            path("stuck/", self.admin_site.admin_view(self.stuck), name="sales_stuck"),
        ]
        return own + super().get_urls()

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        conversation = self.get_object(request, object_id) if object_id else None
        extra = dict(extra_context or {})
        if conversation is not None and self.has_view_permission(request, conversation):
            extra |= {
                "conversation": conversation,
                "lead_name": readable(conversation.lead, "name") or gettext("unnamed"),
                "lead_contact": [
                    value for field in ("phone", "email", "company") if (value := readable(conversation.lead, field))
                ],
                "transcript": transcript(conversation),
                "handovers": [_handover(row) for row in conversation.handovers.select_related("taken_by")[:HANDOVERS]],
                "panels": panels_of(conversation),
                "may_speak": request.user.has_perm("sales.change_conversation"),
                # a form that is sent twice says the same once
                "form_id": uuid.uuid4().hex,
                "state": state_of(conversation),
            }
        return super().changeform_view(request, object_id, form_url, extra)

    def act(self, request: HttpRequest, pk: Any, verb: str) -> HttpResponse:
        """What an operator does from the conversation's page: take over, give back, say something."""
        if request.method != "POST" or not request.user.has_perm("sales.change_conversation"):
            raise PermissionDenied
        conversation = get_object_or_404(Conversation, pk=pk)
        now, by = timezone.now(), request.user
        try:
            if verb == "take-over":
                operations.take_over(conversation_id=pk, by=by, now=now)  # type: ignore[arg-type]
            elif verb == "give-back":
                operations.give_back(conversation_id=pk, by=by, now=now)  # type: ignore[arg-type]
            elif verb == "close":
                operations.close(conversation_id=pk, by=by, now=now)  # type: ignore[arg-type]
            elif verb == "say" and (text := request.POST.get("text", "").strip()):
                self._say(request, conversation, text=text)
            else:
                messages.error(request, gettext("Write something first."))
        except operations.ConversationClosed:
            messages.error(request, gettext("This conversation is closed."))
        return HttpResponseRedirect(reverse("admin:sales_conversation_change", args=[conversation.pk]))

    def _say(self, request: HttpRequest, conversation: Conversation, *, text: str) -> None:
        sent = f"form:{request.POST.get('form', '')[:40] or uuid.uuid4().hex}"
        try:
            with transaction.atomic():
                operations.send_as_operator(
                    conversation_id=conversation.pk,
                    text=text,
                    by=request.user,  # type: ignore[arg-type]
                    now=timezone.now(),
                    external_id=sent,
                )
        except IntegrityError:
            messages.info(request, gettext("This was sent already."))

    def state(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Whether the page is old: a word that changes with whatever it shows."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        answer = JsonResponse({"state": state_of(get_object_or_404(Conversation, pk=pk))})
        answer["Cache-Control"] = "no-store"
        return answer

    def stuck(self, request: HttpRequest) -> HttpResponse:
        """Everything owed that failed, is uncertain, or is long overdue."""
        if not request.user.has_perm("sales.view_turn"):
            raise PermissionDenied
        if request.method == "POST":
            return self._try_again(request)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("What is stuck"),
            "rows": stuck_rows(now=timezone.now()),
            "may_retry": request.user.has_perm("sales.change_turn"),
        }
        return TemplateResponse(request, "admin/sales/stuck.html", context)

    def _try_again(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("sales.change_turn"):
            raise PermissionDenied
        wanted = request.POST.get("row", "")
        for row in stuck_rows(now=timezone.now()):
            if row.key == wanted:
                row.try_again(now=timezone.now())
                messages.success(request, gettext("It will be tried again within a few seconds."))
                break
        else:
            messages.warning(request, gettext("It is not stuck any more."))
        return HttpResponseRedirect(request.path)


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "talk", "condition", "attempts", "model", "opened_at", "answered_at"]
    list_filter = ["state", "model", "opened_at"]
    list_select_related = ["conversation"]
    list_per_page = 20
    fields = ["talk", "state", "attempts", "problem", "model", "opened_at", "answered_at", "more"]

    readonly_fields = ["talk", "more"]

    @display(description=_("more of it"))
    def more(self, turn: Turn) -> SafeString:
        return _joined(panels_of_turn(turn))

    @display(description=_("conversation"))
    def talk(self, turn: Turn) -> SafeString | str:
        return link_to(turn.conversation)

    @display(description=_("state"), label=STATE_LABELS, ordering="state")
    def condition(self, turn: Turn) -> tuple[str, str]:
        return turn.state, turn.get_state_display()


NOTICE_LABELS = {
    NoticeKind.BUDGET: "warning",
    NoticeKind.MODEL_RETIRED: "danger",
    NoticeKind.KEY_REFUSED: "danger",
    NoticeKind.HANDOVER: "info",
    NoticeKind.CONTACT: "info",
    NoticeKind.DELIVERY: "danger",
    NoticeKind.PURCHASE: "danger",
}


class SeenFilter(admin.SimpleListFilter):
    title = _("seen")
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("no", _("no")), ("yes", _("yes"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(seen_at__isnull=self.value() == "no") if self.value() else queryset


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What staff were told of without having asked. Nobody writes here but may say "seen"."""

    list_display = ["__str__", "of_kind", "text", "created_at", "seen_at", "seen_by"]
    list_filter = [SeenFilter, "kind", "created_at"]
    list_select_related = ["seen_by"]
    list_per_page = 20
    fields = ["kind", "text", "created_at", "seen_at", "seen_by"]
    actions = ["mark_seen"]

    def get_urls(self) -> list[Any]:
        own = [path("<int:pk>/seen/", self.admin_site.admin_view(self.see), name="sales_notice_seen")]
        return own + super().get_urls()

    @display(description=_("kind"), label=NOTICE_LABELS, ordering="kind")
    def of_kind(self, notice: Notice) -> tuple[str, str]:
        return notice.kind, notice.get_kind_display()

    def has_see_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.change_notice")

    @action(description=_("Mark as seen"), permissions=["see"])
    def mark_seen(self, request: HttpRequest, queryset: Any) -> None:
        count = notices.see(queryset, by=request.user, now=timezone.now())  # type: ignore[arg-type]
        self.message_user(request, gettext("Changed: %d") % count, messages.SUCCESS)

    def see(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One notice, from the overview."""
        if request.method != "POST" or not self.has_see_permission(request):
            raise PermissionDenied
        notices.see(Notice.objects.filter(pk=pk), by=request.user, now=timezone.now())  # type: ignore[arg-type]
        return HttpResponseRedirect(reverse("admin:index"))


def state_of(conversation: Conversation) -> str:
    """A word that changes when something is said, somebody else leads, or a message has come further."""
    fates = "".join(map(str, panels_of_messages(conversation).values()))
    shown = f"{conversation.last_seq} {conversation.mode} {conversation.operator_id} {len(fates)}"
    return shown + f" {hashlib.sha256(TOKEN.sub('', fates).encode()).hexdigest()[:16]}"


#: differs each time that it is written
TOKEN = re.compile(r'value="[^"]*"')


def transcript(conversation: Conversation) -> list[dict[str, Any]]:
    """The messages in order, each answer with its trace and its tools; text of customers stays text."""
    found = (
        Message.objects.filter(conversation=conversation)
        .select_related("operator", "turn")
        .prefetch_related("turn__tool_calls")
        .order_by("seq")
    )
    said = list(found)
    links = links_to_sources({each["article"]: each["title"] for message in said for each in message.citations})
    fates = panels_of_messages(conversation)
    return [{**_shown(message, links), "fate": fates.get(message.pk, "")} for message in said]


def _shown(message: Message, links: Mapping[str, Any]) -> dict[str, Any]:
    turn = getattr(message, "turn", None)
    text = readable(message, "text")
    return {
        "seq": message.seq,
        "author": message.author,
        "author_name": message.get_author_display(),
        "operator": message.operator,
        "created_at": message.created_at,
        "text": text,
        "html": to_html(text) if message.author != "customer" else "",
        "cards": readable(message, "cards") or [],
        "citations": [{**each, "link": links.get(each["article"], each["title"])} for each in message.citations],
        "turn": turn,
        "panels": panels_of_turn(turn) if turn else (),
        "steps": (readable(turn, "trace") or {}).get("steps", []) if turn else [],
        "calls": [
            {
                "name": call.name,
                "failed": call.failed,
                "arguments": _pretty(readable(call, "arguments")),
                "result": _pretty(readable(call, "result")),
            }
            for call in (turn.tool_calls.all() if turn else [])
        ],
    }


def _handover(row: Handover) -> dict[str, Any]:
    return {"row": row, "question": readable(row, "question"), "summary": readable(row, "summary")}


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _joined(lines: Any) -> SafeString:
    """Lines that are safe already, one below the other."""
    from django.utils.html import format_html_join

    return format_html_join("", "<div>{}</div>", ((line,) for line in lines)) or SafeString("—")
