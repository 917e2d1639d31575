"""The staff's API for leads and conversations."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import ReadableField
from sales import operations
from sales.enums import Mode, Stage
from sales.models import Conversation, Lead, Message
from sales.queries import as_wire, messages_after


class LeadSerializer(serializers.ModelSerializer[Lead]):
    status = serializers.ChoiceField(source="stage", choices=Stage.choices, read_only=True)
    name = ReadableField()
    phone = ReadableField()
    email = ReadableField()
    company = ReadableField()

    class Meta:
        model = Lead
        fields = ["id", "name", "phone", "email", "company", "channel", "status", "score", "created_at"]
        read_only_fields = fields


class LeadFilter(filters.FilterSet):
    status = filters.ChoiceFilter(field_name="stage", choices=Stage.choices)
    search = filters.CharFilter(method="find", label="Phone, e-mail, or words of the name or company")
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Lead
        fields = ["channel", "status"]

    def find(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.known_as(value)


class LeadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Lead]):
    """Leads, newest first."""

    queryset = Lead.objects.order_by("-created_at")
    serializer_class = LeadSerializer
    filterset_class = LeadFilter


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    class Meta:
        model = Conversation
        fields = ["id", "channel", "external_id", "mode", "lead", "last_seq", "created_at", "last_message_at"]
        read_only_fields = fields


class CitationSerializer(serializers.Serializer[Any]):
    article = serializers.CharField()
    title = serializers.CharField()


class MessageSerializer(serializers.Serializer[Any]):
    """A message as the websocket shows it."""

    seq = serializers.IntegerField()
    author = serializers.ChoiceField(choices=["customer", "assistant", "operator", "system"])
    text = serializers.CharField()
    html = serializers.CharField()
    cards = serializers.ListField(child=serializers.DictField())
    citations = CitationSerializer(many=True)
    created_at = serializers.DateTimeField()


class MessagesSerializer(serializers.Serializer[Any]):
    messages = MessageSerializer(many=True)


class OperatorTextSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=operations.TEXT_MOST)


class ConversationFilter(filters.FilterSet):
    mode = filters.ChoiceFilter(choices=Mode.choices)

    class Meta:
        model = Conversation
        fields = ["channel", "mode", "lead", "external_id"]


class ConversationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Conversation]):
    """Conversations, newest first; what is said in them, and who leads them."""

    queryset: QuerySet[Conversation] = Conversation.objects.order_by("-created_at")
    serializer_class = ConversationSerializer
    filterset_class = ConversationFilter

    def get_permissions(self) -> Any:
        # to speak in a conversation or to lead it is to change it, whatever HTTP calls the method
        for permission in (permissions := super().get_permissions()):
            change = ["%(app_label)s.change_%(model_name)s"]
            permission.perms_map = {**permission.perms_map, "POST": change}  # type: ignore[attr-defined]
        return permissions

    @extend_schema(
        parameters=[OpenApiParameter("after", OpenApiTypes.INT, description="only messages numbered above this")],
        responses=MessagesSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def messages(self, request: Request, pk: str) -> Response:
        """The conversation's messages in order, up to 500 a call."""
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise serializers.ValidationError({"after": [_("Give the number of a message: a whole number from 0.")]})
        found = messages_after(self.get_object().pk, int(after))
        return Response({"messages": [as_wire(message) for message in found]})

    @extend_schema(request=OperatorTextSerializer, responses={201: MessageSerializer})
    @messages.mapping.post
    def send(self, request: Request, pk: str) -> Response:
        """Say something as an operator; it takes the conversation over."""
        given = OperatorTextSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        message: Message = self._do(
            operations.send_as_operator, text=given.validated_data["text"], by=request.user, now=timezone.now()
        )
        return Response(as_wire(message), status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ConversationSerializer)
    @action(detail=True, methods=["post"])
    def take_over(self, request: Request, pk: str) -> Response:
        """Lead the conversation as a person; the assistant is silent from now on."""
        found = self._do(operations.take_over, by=request.user, now=timezone.now())
        return Response(ConversationSerializer(found).data)

    @extend_schema(request=None, responses=ConversationSerializer)
    @action(detail=True, methods=["post"])
    def give_back(self, request: Request, pk: str) -> Response:
        """Let the assistant lead again."""
        found = self._do(operations.give_back, by=request.user, now=timezone.now())
        return Response(ConversationSerializer(found).data)

    @extend_schema(request=None, responses=ConversationSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """End the conversation. In a vendor's chat it opens again when the customer writes."""
        found = self._do(operations.close, by=request.user, now=timezone.now())
        return Response(ConversationSerializer(found).data)

    def _do(self, operation: Any, **arguments: Any) -> Any:
        try:
            return operation(conversation_id=self.get_object().pk, **arguments)
        except operations.ConversationClosed:
            raise serializers.ValidationError({"detail": _("This conversation is closed.")}) from None
