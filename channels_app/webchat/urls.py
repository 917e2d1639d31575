"""Addresses of the web chat's REST half."""

from django.urls import path

from channels_app.webchat import api

urlpatterns = [
    path("api/v1/chat/sessions", api.SessionsView.as_view(), name="chat-sessions"),
    path("api/v1/chat/sessions/<str:conversation>/messages", api.MessagesView.as_view(), name="chat-messages"),
]
