"""The public price calculator: ``POST /api/v1/pricing/quotes``."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.ratelimits import AddressThrottle
from pricing import queries
from pricing.operations import BadRequest, make_quote
from pricing.reading import LARGEST, MOST_BYTES, parse


class ProductWantedSchema(serializers.Serializer[Any]):
    product = serializers.CharField(help_text="Code of the product.")
    tier = serializers.CharField(required=False, help_text="Code of the tier; or give a volume, or both.")
    volume = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST)


class ServiceWantedSchema(serializers.Serializer[Any]):
    service = serializers.CharField(help_text="Code of the service.")
    quantity = serializers.IntegerField(min_value=1, max_value=LARGEST)


class QuoteRequestSchema(serializers.Serializer[Any]):
    products = ProductWantedSchema(many=True)
    services = ServiceWantedSchema(many=True, required=False)
    billing_period = serializers.ChoiceField(choices=["month", "year"])
    startup = serializers.BooleanField(required=False, default=False)


class DiscountSchema(serializers.Serializer[Any]):
    code = serializers.CharField()
    amount = serializers.CharField()


class VatSchema(serializers.Serializer[Any]):
    mode = serializers.CharField()
    amount = serializers.CharField()


class QuoteAnswerSchema(serializers.Serializer[Any]):
    number = serializers.CharField()
    tiers = serializers.DictField(child=serializers.CharField(), help_text="The tier of each product.")
    subscription = serializers.CharField(help_text="Before discounts; amounts have two decimals.")
    discounts = DiscountSchema(many=True)
    services = serializers.CharField()
    total = serializers.CharField()
    vat = VatSchema()
    on_request = serializers.BooleanField(help_text="A product has no price: a manager names it.")
    summary = serializers.CharField(help_text="The whole quote in Russian sentences.")


class QuoteErrorSchema(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="For example products[0].tier; body for the whole.")
    code = serializers.CharField()
    message = serializers.CharField()


class QuoteErrorsSchema(serializers.Serializer[Any]):
    errors = QuoteErrorSchema(many=True)  # type: ignore[assignment]


class Quotes(APIView):
    """Name an exact price."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    throttle_classes = (AddressThrottle,)
    throttle_scope = "quote"

    @extend_schema(
        summary="Price products and services",
        description="Public. The quote is kept under its number and holds until its last day.",
        request=QuoteRequestSchema,
        responses={200: QuoteAnswerSchema, 400: QuoteErrorsSchema},
        examples=[
            OpenApiExample(
                "A year of two products",
                request_only=True,
                value={
                    "products": [
                        {"product": "ai_manager", "volume": 1800},
                        {"product": "ai_lawyer", "tier": "start"},
                    ],
                    "services": [{"service": "onboarding", "quantity": 1}],
                    "billing_period": "year",
                    "startup": True,
                },
            )
        ],
        tags=["pricing"],
    )
    def post(self, request: Request) -> Response:
        status, answer = respond(_body(request))
        return Response(answer, status=status)


def respond(body: bytes) -> tuple[int, dict[str, Any]]:
    """The status and the answer to one request, given as bytes; the command prints the same."""
    try:
        return 200, queries.answer(make_quote(data=parse(body), now=timezone.now()))
    except BadRequest as refused:
        return 400, {"errors": refused.errors}


def _body(request: Request) -> bytes:
    """The bytes as they came: what they call themselves doesn't matter, only whether they are JSON."""
    try:
        return request._request.body
    except RequestDataTooBig:
        return b" " * (MOST_BYTES + 1)
