"""Addresses of the pages around the web chat: the demo site, its legal texts, the widget's loader."""

from django.urls import path

from channels_app.webchat import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("widget.js", pages.loader, name="widget"),
    path("legal/consent", pages.consent, name="legal-consent"),
    path("legal/consent/chats", pages.consent_in_chats, name="legal-consent-chats"),
    path("chat/continue/<str:token>", pages.go_on, name="chat-continue"),
    path("legal/privacy", pages.privacy, name="legal-privacy"),
]
