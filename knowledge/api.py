"""The staff's API for articles."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, viewsets

from knowledge.enums import IndexState, Language, Status
from knowledge.models import BODY_MOST, EXTERNAL_ID_MOST, QUESTION_MOST, TITLE_MOST, Article
from knowledge.operations import FIGURE_MOST, FIGURES_MOST, QUESTIONS_MOST, BadArticle, Draft, save_article
from knowledge.queries import with_index_state


class QuestionsField(serializers.ListField):
    """The questions as a list of strings, from the rows they are."""

    child = serializers.CharField(max_length=QUESTION_MOST)

    def to_representation(self, data: Any) -> list[str]:
        return [each.text for each in data.all()]


class ArticleSerializer(serializers.ModelSerializer[Article]):
    """An article as staff read and write it. What is left out of a PATCH stays; PUT needs title and body."""

    external_id = serializers.CharField(max_length=EXTERNAL_ID_MOST, required=False)
    title = serializers.CharField(max_length=TITLE_MOST)
    body = serializers.CharField(max_length=BODY_MOST, allow_blank=True, trim_whitespace=False)
    product = serializers.RegexField(
        r"\A([a-z][a-z0-9_]{0,49})?\Z", allow_blank=True, required=False, help_text="Code of the product, or empty."
    )
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    language = serializers.ChoiceField(choices=Language.choices, required=False)
    questions = QuestionsField(max_length=QUESTIONS_MOST, required=False)
    own_figures = serializers.ListField(
        child=serializers.CharField(max_length=FIGURE_MOST),
        max_length=FIGURES_MOST,
        required=False,
        help_text="Amounts, percentages and volumes in the text that aren't our prices.",
    )
    typed_figures = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Figures in the text that a placeholder should show, and that aren't its own.",
    )
    index_state = serializers.SerializerMethodField()

    class Meta:
        model = Article
        fields = [
            *("id", "external_id", "title", "body", "product", "status", "language", "questions"),
            *("own_figures", "typed_figures"),
            *("version", "index_state", "created_at", "updated_at"),
        ]
        read_only_fields = ["id", "version", "created_at", "updated_at"]

    @extend_schema_field(serializers.ChoiceField(choices=IndexState.choices))
    def get_index_state(self, article: Article) -> str:
        return str(getattr(article, "index_state", IndexState.WAITING))

    def validate_external_id(self, value: str) -> str:
        others = Article.objects.filter(external_id=value)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError(_("There is an article with this id already."), code="unique")
        return value

    def create(self, validated_data: dict[str, Any]) -> Article:
        return self._save(Draft(**{"title": "", "body": "", **_named(validated_data)}), None)

    def update(self, instance: Article, validated_data: dict[str, Any]) -> Article:
        now = {
            **{name: getattr(instance, name) for name in ("title", "body", "product", "status", "language")},
            "questions": tuple(each.text for each in instance.questions.all()),
            "own_figures": tuple(instance.own_figures),
        }
        return self._save(Draft(**{**now, **_named(validated_data)}), instance)

    def _save(self, draft: Draft, article: Article | None) -> Article:
        try:
            saved = save_article(draft=draft, by=self.context["request"].user, article=article)
        except BadArticle as problem:
            raise serializers.ValidationError({name: [words] for name, words in problem.problems.items()}) from None
        return with_index_state(Article.objects.all()).get(pk=saved.pk)


def _named(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, **{name: tuple(data[name]) for name in ("questions", "own_figures") if name in data}}


class ArticleFilter(filters.FilterSet):
    title = filters.CharFilter(lookup_expr="icontains")
    index_state = filters.ChoiceFilter(choices=IndexState.choices)

    class Meta:
        model = Article
        fields = ["external_id", "status", "language", "product"]


class ArticleViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet[Article],
):
    """Articles of the knowledge base, last changed first. A change is searched a moment later: see ``index_state``."""

    queryset = with_index_state(Article.objects.all()).prefetch_related("questions").order_by("-updated_at", "-id")
    serializer_class = ArticleSerializer
    filterset_class = ArticleFilter
