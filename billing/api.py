"""The staff's API for documents, read only."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.reverse import reverse

from billing import links
from billing.enums import Kind
from billing.models import Document, Pdf
from billing.views import pdf_response
from common.promise import State


class DocumentSerializer(serializers.ModelSerializer[Document]):
    quote: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="number", read_only=True)
    pdf_url = serializers.SerializerMethodField()

    class Meta:
        model = Document
        fields = [
            "id",
            "kind",
            "number",
            "total",
            "lead",
            "pdf_url",
            "conversation",
            "quote",
            "issued_on",
            "valid_until",
            "state",
            "size",
            "pages",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.STR)
    def get_pdf_url(self, document: Document) -> str:
        """The customer's own link while it works, else the staff's: with the same JWT."""
        return links.address(document, now=timezone.now()) or reverse("billing:document-pdf", args=[document.pk])


class DocumentFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=Kind.choices)
    state = filters.ChoiceFilter(choices=State.choices)
    issued_after = filters.DateFilter(field_name="issued_on", lookup_expr="gte")
    issued_before = filters.DateFilter(field_name="issued_on", lookup_expr="lt")

    class Meta:
        model = Document
        fields = ["kind", "state", "number", "lead", "conversation"]


class Whatever(BaseContentNegotiation):
    """The file is a PDF whatever the client says it accepts; an error is JSON."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class DocumentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Document]):
    """Documents that were issued, newest first."""

    queryset = Document.objects.select_related("quote").prefetch_related("links").order_by("-created_at")
    serializer_class = DocumentSerializer
    filterset_class = DocumentFilter

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, content_negotiation_class=Whatever)
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """The file itself; 404 while it isn't made."""
        document = self.get_object()
        stored = Pdf.objects.filter(document=document).first()
        if stored is None:
            raise Http404
        return pdf_response(document, stored.content)
