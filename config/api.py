"""Who the staff's programs are (JWT), and what the API looks like (OpenAPI)."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from common.api import exception_handler
from common.ratelimits import AddressThrottle

__all__ = ["exception_handler", "urlpatterns"]


class Credentials(TokenObtainPairSerializer):
    """A user name and a password of the staff."""

    # the library's translations are filed under ru_RU, where Django doesn't look for ru
    default_error_messages = {"no_active_account": _("The user name or the password is wrong.")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        # the guard against guessing marks the request itself, which DRF hides in its own
        self._context = {**self.context, "request": self.context["request"]._request}
        try:
            return super().validate(attrs)
        except exceptions.AuthenticationFailed:
            if getattr(self.context["request"], "axes_locked_out", False):
                raise exceptions.Throttled from None
            raise


class TokenPair(serializers.Serializer[Any]):
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class TokenView(TokenObtainPairView):
    """Give a user name and a password, get a short access token and a longer one to refresh it with."""

    serializer_class = Credentials
    throttle_classes = [AddressThrottle]
    throttle_scope = "auth"

    @extend_schema(request=Credentials, responses=TokenPair)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)


class RefreshView(TokenRefreshView):
    """Give a refresh token, get a new access token."""

    throttle_classes = [AddressThrottle]
    throttle_scope = "refresh"


@extend_schema(exclude=True)
class ShortRefreshView(RefreshView):
    """The same at the shorter address that some clients read out of the description."""


class SchemaView(SpectacularAPIView):
    throttle_classes = [AddressThrottle]
    throttle_scope = "schema"


urlpatterns = [
    path("api/v1/auth/token", TokenView.as_view(), name="token"),
    path("api/v1/auth/token/refresh", RefreshView.as_view(), name="token-refresh"),
    path("api/v1/auth/refresh", ShortRefreshView.as_view(), name="token-refresh-short"),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
