from django.urls import path

from pricing import api

urlpatterns = [path("api/v1/pricing/quotes", api.Quotes.as_view(), name="pricing-quotes")]
