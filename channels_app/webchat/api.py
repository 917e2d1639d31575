"""The web chat over plain HTTP: opening a conversation, and a way in for those whose network blocks websockets."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import exceptions, serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from channels_app.webchat import frames, threads
from common.parsers import JSONParser
from common.ratelimits import AddressThrottle, client_address
from sales.api import MessageSerializer, MessagesSerializer
from sales.operations import ConversationClosed, receive
from sales.queries import as_wire, messages_after

NAME_MOST = 200


class JSONWhateverItIsCalled(JSONParser):
    """JSON by what it is and not by its label, so that anything else is a 400 like any other wrong shape."""

    media_type = "*/*"


class VisitorToken(BaseAuthentication):
    """Takes the bearer token along; whether it opens the conversation is the view's question."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, str]:
        kind, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        return AnonymousUser(), token.strip() if kind.lower() == "bearer" else ""


class VisitorTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = VisitorToken
    name = "visitorToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "The token that opening the session gave."}


class ConversationThrottle(AddressThrottle):
    """Counts by conversation: visitors of one office share an address."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self.scope = "chat.message" if request.method == "POST" else "chat.history"
        return super().allow_request(request, view)

    def asker(self, request: Request) -> str:
        return f"conversation {request.parser_context['kwargs']['conversation']}"


@extend_schema_field(OpenApiTypes.STR)
class Text(serializers.Field[str, Any, str, Any]):
    """A string as it was sent: neither numbers made into text, nor spaces cut, nor odd characters refused."""

    default_error_messages = {
        "invalid": gettext_lazy("Not a string."),
        "too_long": gettext_lazy("Too long: at most {most} characters."),
    }

    def __init__(self, *, most: int | None = None, **kwargs: Any) -> None:
        self.most = most
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.most is not None and len(data) > self.most:
            self.fail("too_long", most=self.most)
        return data

    def to_representation(self, value: str) -> str:
        return value


class Session(serializers.Serializer[Any]):
    consent = serializers.JSONField(help_text="true: the visitor has agreed to the text shown")
    page_url = Text(required=False, allow_null=True)
    name = Text(required=False, allow_null=True, most=NAME_MOST)

    def validate_consent(self, value: Any) -> bool:
        if value is not True:
            raise serializers.ValidationError(
                _("Nothing can be said without consent to the processing of personal data."), code="consent_required"
            )
        return True


class OpenedSession(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    token = serializers.CharField()


class NewMessage(serializers.Serializer[Any]):
    client_id = Text()
    text = Text()

    def validate_client_id(self, value: str) -> str:
        if not frames.valid_client_id(value):
            raise serializers.ValidationError(
                _("A string of 1 to %(most)d characters.") % {"most": frames.CLIENT_ID_MOST}, code="bad_client_id"
            )
        return value

    def validate_text(self, value: str) -> str:
        try:
            return frames.checked_text(value)
        except frames.BadText as problem:
            raise serializers.ValidationError(problem.detail, code=problem.code) from None


class Closed(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "closed"


class SessionsView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    parser_classes = [JSONWhateverItIsCalled]
    throttle_classes = [AddressThrottle]
    throttle_scope = "chat.session"

    @extend_schema(request=Session, responses={201: OpenedSession})
    def post(self, request: Request) -> Response:
        """Open an empty conversation with a visitor who has given consent. The token is shown this once."""
        given = Session(data=request.data)
        given.is_valid(raise_exception=True)
        opened = threads.open_session(
            now=timezone.now(),
            name=given.validated_data.get("name") or "",
            page_url=given.validated_data.get("page_url") or "",
            address=client_address(request),
            browser=request.META.get("HTTP_USER_AGENT", ""),
        )
        answer = Response({"id": opened.conversation_id, "token": opened.token}, status=status.HTTP_201_CREATED)
        answer["Cache-Control"] = "no-store"
        return answer


class MessagesView(APIView):
    authentication_classes = [VisitorToken]
    permission_classes = [AllowAny]
    parser_classes = [JSONWhateverItIsCalled]
    throttle_classes = [ConversationThrottle]

    @extend_schema(
        parameters=[OpenApiParameter("after", OpenApiTypes.INT, description="only messages numbered above this")],
        responses=MessagesSerializer,
    )
    def get(self, request: Request, conversation: str) -> Response:
        """The messages in order, up to 500 a call."""
        conversation_id = self._opened(request, conversation)
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 20):
            message = _("Give the number of a message: a whole number from 0.")
            raise serializers.ValidationError({"after": [message]}, code="bad_after")
        found = messages_after(conversation_id, min(int(after), 2**31 - 1))
        return self._private({"messages": [as_wire(each) for each in found]})

    @extend_schema(request=NewMessage, responses={202: MessageSerializer})
    def post(self, request: Request, conversation: str) -> Response:
        """Say something; the same ``client_id`` again gives the same message again."""
        conversation_id = self._opened(request, conversation)
        given = NewMessage(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            stored = receive(
                conversation_id=conversation_id,
                external_id=frames.external_id(given.validated_data["client_id"]),
                text=given.validated_data["text"],
                now=timezone.now(),
            )
        except ConversationClosed:
            raise Closed(_("This conversation is closed.")) from None
        return self._private(as_wire(stored.message), status=status.HTTP_202_ACCEPTED)

    def _opened(self, request: Request, conversation: str) -> uuid.UUID:
        try:
            conversation_id = uuid.UUID(conversation)
        except ValueError:
            raise exceptions.NotFound(_("Not found.")) from None
        if not threads.enter(conversation_id, str(request.auth or ""), now=timezone.now()):
            raise exceptions.NotFound(_("Not found."))  # whether it is there is nobody else's business
        return conversation_id

    def _private(self, data: Any, **kwargs: Any) -> Response:
        answer = Response(data, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer
