from django.urls import include, path

urlpatterns = [
    path("", include("channels_app.webchat.urls")),
    path("", include("channels_app.webchat.page_urls")),
    path("", include("channels_app.telegram.urls")),
    path("", include("channels_app.avito.urls")),
    path("", include("channels_app.avito.api_urls")),
]
