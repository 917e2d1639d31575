"""Where each address leads. Every app names its own; this page only joins them."""

from django.contrib import admin
from django.urls import include, path

from config import api, health, metrics

urlpatterns = [
    path("health", health.alive, name="health"),
    path("ready", health.ready, name="ready"),
    path("metrics", metrics.page, name="metrics"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include(api)),
    path("", include("sales.urls")),
    path("", include("pricing.urls")),
    path("", include("knowledge.urls")),
    path("", include("billing.urls")),
    path("", include("channels_app.urls")),
]
