from django.urls import path

from channels_app.telegram.webhook import webhook

urlpatterns = [path("api/v1/webhooks/telegram", webhook, name="webhook-telegram")]
