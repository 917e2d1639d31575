from django.urls import path
from rest_framework.routers import SimpleRouter

from billing import views
from billing.api import DocumentViewSet

app_name = "billing"

router = SimpleRouter(trailing_slash=False)
router.register("api/v1/documents", DocumentViewSet, basename="document")

urlpatterns = [
    *router.urls,
    # the token is a secret: logs have this route's name, never the path
    path("documents/<str:token>/<str:filename>.pdf", views.document, name="document"),
]
