from django.urls import path

from channels_app.avito.webhook import webhook

urlpatterns = [path("api/v1/webhooks/avito/messages/<str:secret>", webhook, name="webhook-avito")]
