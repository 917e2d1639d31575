from django.urls import path
from rest_framework.routers import SimpleRouter

from channels_app.avito import api

ROOT = "api/v1/avito"

router = SimpleRouter(trailing_slash=False)
router.register(f"{ROOT}/items", api.ItemViewSet, basename="avito-item")
router.register(f"{ROOT}/purchases", api.PurchaseViewSet, basename="avito-purchase")
router.register(f"{ROOT}/sync/runs", api.RunViewSet, basename="avito-run")

urlpatterns = [
    path(f"{ROOT}/sync", api.SyncView.as_view(), name="avito-sync"),
    path(f"{ROOT}/sync/start", api.SyncStartView.as_view(), name="avito-sync-start"),
    path(f"{ROOT}/sync/stop", api.SyncStopView.as_view(), name="avito-sync-stop"),
    path(f"{ROOT}/sync/now", api.SyncNowView.as_view(), name="avito-sync-now"),
    path(f"{ROOT}/webhook", api.WebhookView.as_view(), name="avito-webhook"),
    path(f"{ROOT}/account", api.AccountView.as_view(), name="avito-account"),
    path(f"{ROOT}/balance", api.BalanceView.as_view(), name="avito-balance"),
    *router.urls,
]
