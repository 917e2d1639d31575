"""The staff's API for Avito: listings and what they bring, promotion, the webhook, reading of listings, the account.

A word of the vendor that stops a call is 502, a vendor that can't be asked now 503, and so is Avito switched off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import exceptions, mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from channels_app.avito import items_sync, promotion, subscription
from channels_app.avito.account import bare, client, is_on
from channels_app.avito.models import (
    AvitoItem,
    AvitoItemChange,
    AvitoItemDay,
    AvitoPurchase,
    AvitoSync,
    AvitoSyncRun,
    ItemStatus,
    Outcome,
)
from channels_app.avito.promotion import NotOffered, PriceChanged, StillOpen
from common.access import StaffWithModelPermissions
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome
from common.promise import State

MONEY: dict[str, Any] = {"max_digits": 14, "decimal_places": 2}


class VendorRefuses(exceptions.APIException):
    status_code = status.HTTP_502_BAD_GATEWAY
    default_code = "vendor_refuses"


class VendorAway(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "vendor_away"


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


@contextmanager
def asking_avito() -> Iterator[None]:
    """What may go wrong with the vendor, as answers of ours."""
    if not is_on():
        raise VendorAway(_("Avito is off: its variables are empty."), code="off")
    try:
        yield
    except LastingProblem as problem:
        raise VendorRefuses(str(problem)) from None
    except (TemporaryProblem, UnknownOutcome) as problem:
        raise VendorAway(str(problem)) from None


class ChangeToPost(StaffWithModelPermissions):
    """To switch, to register and to settle is to change what is there."""

    perms_map = {
        **StaffWithModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
        "DELETE": ["%(app_label)s.change_%(model_name)s"],
    }


class SpendToPost(StaffWithModelPermissions):
    """To look needs the right to look; to spend money a right of its own."""

    perms_map = {**StaffWithModelPermissions.perms_map, "POST": ["channels_app.promote_avitoitem"]}


# --- listings ---------------------------------------------------------------------------------------------------


class ItemSerializer(serializers.ModelSerializer[AvitoItem]):
    class Meta:
        model = AvitoItem
        fields = ["id", "title", "price", "url", "status", "category_id", "category", "first_seen_at", "last_seen_at"]
        read_only_fields = fields


class ChangeSerializer(serializers.ModelSerializer[AvitoItemChange]):
    class Meta:
        model = AvitoItemChange
        fields = ["seen_at", "field", "before", "after"]
        read_only_fields = fields


class DaySerializer(serializers.ModelSerializer[AvitoItemDay]):
    """The vendor's counts, and ours of what became of the chats; ``spendings`` in roubles, null where not told."""

    class Meta:
        model = AvitoItemDay
        fields = ["day", "views", "contacts", "favourites", "messages", "leads", "quotes", "spendings"]
        read_only_fields = fields


class ServiceSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    price = serializers.DecimalField(**MONEY)
    price_before = serializers.DecimalField(**MONEY)


class StickerSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    description = serializers.CharField()


class OfferSerializer(serializers.Serializer[Any]):
    """What can be bought for a listing now, in roubles."""

    item = serializers.IntegerField()
    services = ServiceSerializer(many=True)
    stickers = StickerSerializer(many=True)


class BuySerializer(serializers.Serializer[Any]):
    """A purchase: ``price`` is the sum that the person was shown, ``confirm`` that they said yes to it."""

    slugs = serializers.ListField(child=serializers.CharField(max_length=40), min_length=1, max_length=10)
    stickers = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=3, default=list)
    price = serializers.DecimalField(**MONEY, min_value=Decimal(0))
    confirm = serializers.BooleanField()
    request_id = serializers.UUIDField(help_text="Yours: the same one again is the same purchase.")

    def validate_confirm(self, value: bool) -> bool:
        if not value:
            raise serializers.ValidationError(_("Money is spent only when it is confirmed."), code="not_confirmed")
        return value


class PurchaseSerializer(serializers.ModelSerializer[AvitoPurchase]):
    class Meta:
        model = AvitoPurchase
        fields = [
            *("id", "request_id", "item", "slugs", "stickers", "price", "outcome", "operations", "problem"),
            *("asked_by", "asked_at", "settled_at", "settled_by"),
        ]
        read_only_fields = fields


class ItemFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=ItemStatus.choices)
    title = filters.CharFilter(lookup_expr="icontains")
    price_from = filters.NumberFilter(field_name="price", lookup_expr="gte")
    price_to = filters.NumberFilter(field_name="price", lookup_expr="lte")
    seen_after = filters.IsoDateTimeFilter(field_name="last_seen_at", lookup_expr="gte")

    class Meta:
        model = AvitoItem
        fields = ["status", "category_id"]


class ItemViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[AvitoItem]):
    """Our listings on Avito, last seen first."""

    queryset = AvitoItem.objects.order_by("-last_seen_at", "id")
    serializer_class = ItemSerializer
    filterset_class = ItemFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_permissions(self) -> Any:
        return [SpendToPost()] if self.action in {"vas", "buy"} else super().get_permissions()

    @extend_schema(
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATE, description="the first day"),
            OpenApiParameter("to", OpenApiTypes.DATE, description="the last day"),
        ],
        responses=DaySerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], filterset_class=None)
    def stats(self, request: Request, pk: str) -> Response:
        """What the listing brought, newest day first."""
        rows: Any = self.get_object().days.order_by("-day")
        for name, lookup in (("from", "day__gte"), ("to", "day__lte")):
            if given := request.query_params.get(name):
                rows = rows.filter(**{lookup: _date(name, given)})
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(DaySerializer(page, many=True).data)

    @extend_schema(responses=ChangeSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def changes(self, request: Request, pk: str) -> Response:
        """What became different about the listing, latest first."""
        rows: Any = self.get_object().changes.order_by("-seen_at", "-id")
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(ChangeSerializer(page, many=True).data)

    @extend_schema(responses=OfferSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def vas(self, request: Request, pk: str) -> Response:
        """What promotion costs for this listing now."""
        item = self.get_object()
        with asking_avito():
            return Response(OfferSerializer(promotion.offer(item)).data)

    @extend_schema(
        request=BuySerializer,
        responses={200: PurchaseSerializer, 201: PurchaseSerializer, 202: PurchaseSerializer},
    )
    @vas.mapping.post
    def buy(self, request: Request, pk: str) -> Response:
        """Buy promotion: spends money. 201 bought, 202 nobody knows yet, 200 nothing was bought or asked before.

        The machine asks once. What is uncertain is settled by looking at the listing; until then another purchase for
        it is 409, and so is a sum that isn't the price any more.
        """
        item = self.get_object()
        given = BuySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = {name: value for name, value in given.validated_data.items() if name != "confirm"}
        known = AvitoPurchase.objects.filter(request_id=wanted["request_id"]).exists()
        try:
            with asking_avito():
                row = promotion.buy(item=item, by=request.user, now=timezone.now(), **wanted)  # type: ignore[arg-type]
        except PriceChanged as problem:
            words = _("The price is %(price)s now: show it and ask again.") % {"price": f"{problem.price:.2f}"}
            raise Conflict(words, code="price_changed") from None
        except NotOffered as problem:
            words = _("Avito doesn't offer this for the listing: %(names)s.") % {"names": ", ".join(problem.names)}
            raise serializers.ValidationError({"slugs": [words]}, code="not_offered") from None
        except StillOpen as problem:
            words = _("Of an earlier purchase nobody knows yet whether it happened: %(purchase)s.")
            raise Conflict(words % {"purchase": problem.purchase.pk}, code="still_open") from None
        codes = {Outcome.BOUGHT: 201, Outcome.UNDER_WAY: 202, Outcome.UNCERTAIN: 202}
        code = 200 if known else codes.get(Outcome(row.outcome), 200)
        return Response(PurchaseSerializer(row).data, status=code)


class SettleSerializer(serializers.Serializer[Any]):
    bought = serializers.BooleanField(help_text="Whether the services stand at the listing, by Avito's own pages.")


class PurchaseFilter(filters.FilterSet):
    outcome = filters.ChoiceFilter(choices=Outcome.choices)

    class Meta:
        model = AvitoPurchase
        fields = ["outcome", "item"]


class PurchaseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[AvitoPurchase]):
    """Purchases of promotion, latest first."""

    queryset = AvitoPurchase.objects.order_by("-asked_at", "id")
    serializer_class = PurchaseSerializer
    filterset_class = PurchaseFilter
    permission_classes = [SpendToPost]

    @extend_schema(request=SettleSerializer, responses=PurchaseSerializer)
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, pk: str) -> Response:
        """Say of an uncertain purchase what you have seen at Avito."""
        given = SettleSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        row = self.get_object()
        if row.outcome != Outcome.UNCERTAIN:
            raise Conflict(_("This purchase isn't uncertain."), code="settled")
        bought = given.validated_data["bought"]
        row = promotion.decide(row, bought=bought, by=request.user, now=timezone.now())  # type: ignore[arg-type]
        return Response(PurchaseSerializer(row).data)


def _date(name: str, given: str) -> Any:
    try:
        return serializers.DateField().to_internal_value(given)
    except serializers.ValidationError as problem:
        raise serializers.ValidationError({name: problem.detail}) from None


# --- reading of listings ----------------------------------------------------------------------------------------


class RunSerializer(serializers.ModelSerializer[AvitoSyncRun]):
    class Meta:
        model = AvitoSyncRun
        fields = [
            *("id", "state", "step", "items_seen", "days_written", "problem", "created_at", "finished_at", "asked_by"),
        ]
        read_only_fields = fields


class SyncSerializer(serializers.ModelSerializer[AvitoSync]):
    """Whether listings are read by themselves, and the latest run."""

    last_run = serializers.SerializerMethodField()

    class Meta:
        model = AvitoSync
        fields = ["is_on", "every_minutes", "next_at", "changed_at", "changed_by", "last_run"]
        read_only_fields = fields

    @extend_schema_field(RunSerializer(allow_null=True))
    def get_last_run(self, row: AvitoSync) -> Any:
        run = items_sync.last_run()
        return RunSerializer(run).data if run is not None else None


class StartSerializer(serializers.Serializer[Any]):
    every_minutes = serializers.IntegerField(
        min_value=items_sync.EVERY_LEAST, max_value=items_sync.EVERY_MOST, required=False
    )


class SyncView(APIView):
    """Reading of listings and their statistics."""

    queryset = AvitoSync.objects.all()
    permission_classes = [ChangeToPost]

    @extend_schema(operation_id="avito_sync_retrieve", responses=SyncSerializer)
    def get(self, request: Request) -> Response:
        """Whether it is on, when it runs next, and how the latest run went."""
        return Response(SyncSerializer(items_sync.state()).data)


class SyncStartView(SyncView):
    http_method_names = ["post", "options"]

    @extend_schema(operation_id="avito_sync_start", request=StartSerializer, responses=SyncSerializer)
    def post(self, request: Request) -> Response:
        """Read them by themselves from now on; the first time at once."""
        given = StartSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with asking_avito():
            row = items_sync.start(by=request.user, now=timezone.now(), **given.validated_data)  # type: ignore[arg-type]
        return Response(SyncSerializer(row).data)


class SyncStopView(SyncView):
    http_method_names = ["post", "options"]

    @extend_schema(operation_id="avito_sync_stop", request=None, responses=SyncSerializer)
    def post(self, request: Request) -> Response:
        """Read them no more; a run under way ends."""
        return Response(SyncSerializer(items_sync.stop(by=request.user, now=timezone.now())).data)  # type: ignore[arg-type]


class SyncNowView(SyncView):
    http_method_names = ["post", "options"]

    @extend_schema(operation_id="avito_sync_now", request=None, responses={202: RunSerializer})
    def post(self, request: Request) -> Response:
        """Begin a run now, whether it is on or not; one that is open already is that run."""
        with asking_avito():
            run = items_sync.run_now(by=request.user, now=timezone.now())  # type: ignore[arg-type]
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class RunFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=State.choices)

    class Meta:
        model = AvitoSyncRun
        fields = ["state"]


class RunViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[AvitoSyncRun]):
    """Runs of reading listings, latest first."""

    queryset = AvitoSyncRun.objects.order_by("-created_at", "-id")
    serializer_class = RunSerializer
    filterset_class = RunFilter


# --- the webhook and the account ----------------------------------------------------------------------------------


class StandingSerializer(serializers.Serializer[Any]):
    """Where Avito rings. Addresses hold secrets, so of ours only whether it stands, of others their hosts."""

    stands = serializers.BooleanField(help_text="Avito rings at our address.")
    reachable = serializers.BooleanField(help_text="PUBLIC_URL is an https address that Avito could call.")
    old = serializers.IntegerField(help_text="How many addresses of ours with an earlier secret it also rings at.")
    foreign = serializers.ListField(child=serializers.CharField(), help_text="Hosts of others it also rings at.")


class WebhookView(APIView):
    """Where Avito rings when something happens in a chat."""

    queryset = AvitoSync.objects.all()
    permission_classes = [ChangeToPost]

    @extend_schema(operation_id="avito_webhook_retrieve", responses=StandingSerializer)
    def get(self, request: Request) -> Response:
        """Ask Avito where it rings."""
        with asking_avito():
            return _standing(subscription.look())

    @extend_schema(operation_id="avito_webhook_register", request=None, responses={201: StandingSerializer})
    def post(self, request: Request) -> Response:
        """Make Avito ring here; doing it twice is no harm."""
        if not subscription.address():
            raise Conflict(_("No webhook without AVITO_WEBHOOK_SECRET."), code="no_secret")
        with asking_avito():
            return _standing(subscription.register(), status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="avito_webhook_remove", responses={200: StandingSerializer})
    def delete(self, request: Request) -> Response:
        """Make Avito ring here no more. Messages come by polling then, within a minute."""
        with asking_avito():
            return _standing(subscription.unregister())


def _standing(found: subscription.Standing, **more: Any) -> Response:
    told = {
        "stands": found.stands,
        "reachable": subscription.can_be_reached(),
        "old": len(found.old),
        "foreign": list(found.foreign),
    }
    return Response(StandingSerializer(told).data, **more)


class AccountSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    profile_url = serializers.CharField()


class BalanceSerializer(serializers.Serializer[Any]):
    """Roubles."""

    real = serializers.DecimalField(**MONEY)
    bonus = serializers.DecimalField(**MONEY)


class AccountView(APIView):
    queryset = AvitoItem.objects.all()

    @extend_schema(operation_id="avito_account_retrieve", responses=AccountSerializer)
    def get(self, request: Request) -> Response:
        """Whose keys these are; also the check that they work."""
        with asking_avito():
            me = bare().me()
        told = {"id": me.get("id") or 0, "name": me.get("name") or "", "profile_url": me.get("profile_url") or ""}
        return Response(AccountSerializer(told).data)


class BalanceView(APIView):
    queryset = AvitoItem.objects.all()

    @extend_schema(operation_id="avito_balance_retrieve", responses=BalanceSerializer)
    def get(self, request: Request) -> Response:
        """The account's money: what was paid in, and bonuses."""
        with asking_avito():
            found = client().balance()
        told = {name: Decimal(str(found.get(name) or 0)).quantize(Decimal("0.01")) for name in ("real", "bonus")}
        return Response(BalanceSerializer(told).data)
