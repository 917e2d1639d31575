"""The back office of the knowledge base: articles with the state of their index, and the page to try the search."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from common.admin import STATE_LABELS, HistoryAdmin, Labelled, ReadOnlyAdmin, link_to
from common.markdown import to_html
from common.text import clean
from knowledge import figures, operations, reading
from knowledge.enums import Doubt, IndexState, Status
from knowledge.models import Article, ArticleQuestion, Indexing, Synonyms
from knowledge.queries import with_doubt, with_index_state
from knowledge.search.explain import try_out
from pricing import placeholders
from pricing.queries import current_rules
from sales.models import User

INDEX_LABELS = {
    IndexState.INDEXED: "success",
    IndexState.WAITING: "warning",
    IndexState.PROBLEM: "danger",
    IndexState.NOT_SEARCHED: "default",
}
DOUBT_LABELS = {Doubt.PLACEHOLDER: "danger", Doubt.LINK: "danger", Doubt.FIGURE: "warning"}
#: typed figures that a form names: with more, reading the first is enough
FIGURES_NAMED = 10
STATUS_LABELS = {Status.PUBLISHED: "success", Status.DRAFT: "default"}


class ArticleForm(forms.ModelForm):
    """Cleans what was typed; refuses placeholders and links that lead nowhere, and asks about typed prices."""

    own_figures = SimpleArrayField(
        forms.CharField(max_length=operations.FIGURE_MOST, required=False),  # an empty line is none
        delimiter="\n",
        max_length=operations.FIGURES_MOST,
        required=False,
        label=_("Figures of its own"),
        help_text=_("Amounts, percentages and volumes in the text that aren't our prices, one a line."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    confirm_figures = forms.BooleanField(
        required=False,
        label=_("The typed figures aren't our prices"),
        help_text=_("Tick it when figures of an example or a law have stopped the saving: they join the list above."),
        widget=UnfoldBooleanSwitchWidget,
    )

    class Meta:
        model = Article
        fields = ["title", "body", "product", "status", "language", "external_id", "own_figures"]

    def clean_title(self) -> str:
        title = " ".join(clean(self.cleaned_data["title"]).split())
        if not title:
            raise ValidationError(_("An article needs a title."))
        return title

    def clean_body(self) -> str:
        return clean(self.cleaned_data["body"]).strip()

    def clean_external_id(self) -> str:
        return clean(self.cleaned_data["external_id"]).strip()

    def clean_product(self) -> str:
        product = self.cleaned_data["product"]
        if product and current_rules().product(product) is None:
            raise ValidationError(_("There is no product with this code."))
        return product

    def clean_own_figures(self) -> list[str]:
        figures_given = (" ".join(clean(each).split()) for each in self.cleaned_data["own_figures"])
        return list(dict.fromkeys(each for each in figures_given if each))

    def clean(self) -> Any:
        data = super().clean()
        texts = {name: self.cleaned_data.get(name) or "" for name in ("title", "body")}
        for name, text in texts.items():
            if dead := placeholders.problems(text):
                self.add_error(name, dead)
        own_id = self.cleaned_data.get("external_id") or self.instance.external_id
        if dead := operations.link_problems(texts["body"], own_id=own_id):
            self.add_error("body", dead)
        if not self.errors:
            self._ask_about_figures(texts)
        return data

    def _ask_about_figures(self, texts: dict[str, str]) -> None:
        """A published article says prices by placeholder, unless staff say that these are figures of its own."""
        own = self.cleaned_data.get("own_figures", [])
        found = {name: figures.typed(text, current_rules(), own=own) for name, text in texts.items()}
        if self.cleaned_data.get("confirm_figures"):
            self.cleaned_data["own_figures"] = [*own, *(each.text for some in found.values() for each in some)]
        elif self.cleaned_data.get("status") == Status.PUBLISHED:
            for name, some in found.items():
                if some:
                    self.add_error(name, [*figures.in_words(some[:FIGURES_NAMED]), _WHAT_TO_DO])


_WHAT_TO_DO = _(
    "Our prices, discounts and volumes are written by placeholder, so that they follow the price list. If these figures"
    " are of another kind, tick “the typed figures aren't our prices” below."
)


class QuestionForm(forms.ModelForm):
    class Meta:
        model = ArticleQuestion
        fields = ["text", "position"]
        labels = {"position": _("order")}

    def clean_text(self) -> str:
        return " ".join(clean(self.cleaned_data["text"]).split())


class QuestionInline(TabularInline):
    model = ArticleQuestion
    form = QuestionForm
    extra = 1
    max_num = operations.QUESTIONS_MOST
    fields = ["text", "position"]


class IndexStateFilter(admin.SimpleListFilter):
    title = _("index")
    parameter_name = "index"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return IndexState.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(index_state=self.value()) if self.value() in IndexState.values else queryset


class DoubtFilter(admin.SimpleListFilter):
    title = _("to be checked")
    parameter_name = "doubt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("dead", _("dead placeholder or link")), *Doubt.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "dead":
            return queryset.filter(doubt__in=[Doubt.PLACEHOLDER, Doubt.LINK])
        return queryset.filter(doubt=self.value()) if self.value() in Doubt.values else queryset


@admin.register(Article)
class ArticleAdmin(HistoryAdmin):
    """Articles. Saving makes the index follow in the background; the list shows whether it has."""

    form = ArticleForm
    inlines = [QuestionInline]
    list_display = ["title_or_id", "status_label", "product", "index_label", "doubt_label", "updated_at", "updated_by"]
    list_filter = ["status", "product", "language", IndexStateFilter, DoubtFilter]
    list_select_related = ["updated_by"]
    list_per_page = 50
    search_fields = ["title", "external_id", "questions__text"]
    fieldsets = [
        (None, {"fields": ["doubts", "title", "body", "own_figures", "confirm_figures", "preview"]}),
        (None, {"fields": ["product", "status", "language", "external_id"]}),
        (_("Index"), {"fields": ["index_label", "index_problem", "version", "updated_at", "updated_by"]}),
    ]
    readonly_fields = ["doubts", "preview", "index_label", "index_problem", "version", "updated_at", "updated_by"]
    actions = ["check_before_publishing", "publish", "withdraw"]
    actions_list = ["try_the_search"]
    history_list_display: list[str] = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_doubt(with_index_state(super().get_queryset(request)))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the form asks for; there is nothing to be checked in an article that isn't there yet."""
        texts, *rest = super().get_fieldsets(request, obj)
        fields = [each for each in texts[1]["fields"] if obj is not None or each != "doubts"]
        return [(texts[0], {**texts[1], "fields": fields}), *rest]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/", view, name="knowledge_try"), *super().get_urls()]

    # --- saving -------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.updated_by = request.user
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # the questions are stored now, so it is known what the article has become
        operations.note_change(article=form.instance)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        # one by one: the index hears of each
        for article in queryset:
            article.delete()

    # --- columns ------------------------------------------------------------------------------------------------

    @display(description=_("title"), ordering="title")
    def title_or_id(self, article: Article) -> str:
        return str(article)

    @display(description=_("status"), ordering="status", label=STATUS_LABELS)
    def status_label(self, article: Article) -> tuple[str, str]:
        return article.status, article.get_status_display()

    @display(description=_("index"), ordering="index_state", label=INDEX_LABELS)
    def index_label(self, article: Any) -> Labelled | str:
        state = getattr(article, "index_state", "")
        return Labelled((state, IndexState(state).label)) if state else "—"

    @display(description=_("to be checked"), ordering="doubt", label=DOUBT_LABELS)
    def doubt_label(self, article: Any) -> Labelled | str:
        state = getattr(article, "doubt", "")
        return Labelled((state, Doubt(state).label)) if state else "—"

    @display(description=_("to be checked"))
    def doubts(self, article: Article) -> SafeString | str:
        """What is wrong with the text by now: the catalogue and other articles change without it."""
        if not article.pk:
            return "—"
        found = placeholders.problems(f"{article.title}\n{article.body}")
        found += operations.link_problems(article.body, own_id=article.external_id)
        found += figures.in_words(figures.typed(article.body, current_rules(), own=article.own_figures)[:FIGURES_NAMED])
        return format_html_join("", '<p role="alert" class="text-red-600">{}</p>', ((each,) for each in found)) or "—"

    @display(description=_("last problem"))
    def index_problem(self, article: Any) -> str:
        return getattr(article, "index_problem", "") or "—"

    @display(description=_("as customers see it"))
    def preview(self, article: Article) -> SafeString | str:
        if not article.pk:
            return gettext("Shown after saving.")
        html = to_html(reading.for_visitor(article.body, article.language))
        return mark_safe(f'<div class="bo-card bo-text">{html}</div>')  # noqa: S308  made safe by to_html

    # --- actions ------------------------------------------------------------------------------------------------

    @action(description=_("Check before publishing"), permissions=["check"])
    def check_before_publishing(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return _releases.check_chosen(self, request, queryset)

    def has_check_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(_releases.MAY_CHECK)

    @action(description=_("Publish"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set_status(request, queryset, Status.PUBLISHED)

    @action(description=_("Withdraw from the search"), permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set_status(request, queryset, Status.DRAFT)

    def _set_status(self, request: HttpRequest, queryset: QuerySet[Any], status: Status) -> None:
        try:
            changed = operations.set_status(articles=queryset, status=status, by=cast(User, request.user))
        except operations.BadArticle as problem:
            self.message_user(request, str(problem), messages.ERROR)
        else:
            self.message_user(request, gettext("Changed: %d") % changed, messages.SUCCESS)
            typed = queryset.exclude(typed_figures=[]) if status == Status.PUBLISHED else queryset.none()
            for article in typed[:FIGURES_NAMED]:
                words = gettext("“%(article)s” has typed prices: %(figures)s. Open it to replace or confirm them.")
                said = {"article": article, "figures": ", ".join(article.typed_figures[:FIGURES_NAMED])}
                self.message_user(request, words % said, messages.WARNING)

    @action(description=_("Try the search"), url_path="try-the-search", icon="search", permissions=["view"])
    def try_the_search(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:knowledge_try"))

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """What a customer's question finds, and why. Nothing is stored, so it is sent by GET."""
        if not request.user.has_perm("knowledge.view_article"):
            raise PermissionDenied
        asked = clean(request.GET.get("q", ""))[:1000]
        trial = try_out(asked) if asked.strip() else None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Try the search"),
            "asked": asked,
            "trial": trial,
            "rows": [_row(explained) for explained in trial.hits] if trial else [],
        }
        return TemplateResponse(request, "admin/knowledge/try.html", context)


PART_NAMES = {
    "stem": _("words of the text"),
    "prefix": _("roots of the text"),
    "run": _("letters of the text"),
    "question_stem": _("words of the question"),
    "question_run": _("letters of the question"),
}


def _row(explained: Any) -> dict[str, Any]:
    hit = explained.hit
    return {
        "article": link_to(hit.article),
        "heading": hit.passage.heading,
        "question": explained.question,
        "score": f"{hit.score:.2f}",
        "share": round(hit.share * 100),
        "text": to_html(reading.for_visitor(hit.passage.text, hit.article.language)),
        "parts": [
            (PART_NAMES[part.name], f"{part.amount:.2f}", [(word, f"{amount:.2f}") for word, amount in part.words[:12]])
            for part in explained.parts
            if part.words
        ],
    }


@admin.register(Indexing)
class IndexingAdmin(ReadOnlyAdmin):
    """What the index owes. Reached from "what is stuck"."""

    list_display = ["article", "version", "state_label", "due_at", "attempts", "problem"]
    list_filter = ["state"]
    list_select_related = ["article"]
    list_per_page = 50
    fields = ["article", "version", "state_label", "due_at", "attempts", "problem", "created_at"]
    readonly_fields = fields

    @display(description=_("state"), label=STATE_LABELS)
    def state_label(self, indexing: Indexing) -> Labelled:
        return Labelled((indexing.state, indexing.get_state_display()))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


# a story of its own; Django looks for all of an app here
import knowledge.evaluation.admin  # noqa: E402, F401

# a story of its own; Django looks for an app's pages here
from knowledge.gaps import admin as _gaps  # noqa: E402, F401
from knowledge.llm import admin as _models  # noqa: E402, F401
from knowledge.llm.inspector import admin as _inspector  # noqa: E402, F401
from knowledge.releases import admin as _releases  # noqa: E402


class SynonymsForm(forms.ModelForm):
    class Meta:
        model = Synonyms
        fields = ["words", "is_active"]

    def clean_words(self) -> str:
        return clean(self.cleaned_data["words"])


@admin.register(Synonyms)
class SynonymsAdmin(HistoryAdmin):
    """Words and phrases that customers use for the same thing."""

    form = SynonymsForm
    list_display = ["words", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["words"]
    ordering = ["words"]
