"""The page where staff try the rules: a calculation with its trace that stores nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from pricing import snapshot, words
from pricing.calculator import Calculation, Product, Rules, Service
from pricing.enums import BillingPeriod
from pricing.operations import try_out
from pricing.queries import current_rules
from pricing.reading import LARGEST, BadRequest
from pricing.trace import tell

#: whoever sees the prices may try them
PERMISSION = "pricing.view_product"


class CheckForm(forms.Form):
    """One row for each product and service on sale; what stays empty isn't asked for."""

    billing_period = forms.ChoiceField(
        label=_("billing period"), choices=BillingPeriod.choices, widget=UnfoldAdminSelectWidget
    )
    startup = forms.BooleanField(label=_("the buyer is a startup"), required=False, widget=UnfoldBooleanSwitchWidget)

    def __init__(self, *args: Any, rules: Rules, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rules = rules
        self.language = (get_language() or "ru")[:2]
        for product in rules.products:
            tiers = [(tier.code, tier.name.in_language(self.language)) for tier in product.tiers]
            self.fields[f"tier_{product.code}"] = forms.ChoiceField(
                label=_("tier"), choices=[("", "—"), *tiers], required=False, widget=UnfoldAdminSelectWidget
            )
            self.fields[f"volume_{product.code}"] = self._whole(product.unit.in_language(self.language))
        for service in rules.services:
            self.fields[f"quantity_{service.code}"] = self._whole(service.unit.in_language(self.language))

    def _whole(self, label: str) -> forms.Field:
        return forms.IntegerField(
            label=label, required=False, min_value=1, max_value=LARGEST, widget=UnfoldAdminIntegerFieldWidget
        )

    def product_rows(self) -> Iterator[tuple[str, Any, Any]]:
        for product in self.rules.products:
            name = product.name.in_language(self.language)
            yield name, self[f"tier_{product.code}"], self[f"volume_{product.code}"]

    def service_rows(self) -> Iterator[tuple[str, Any]]:
        for service in self.rules.services:
            yield service.name.in_language(self.language), self[f"quantity_{service.code}"]

    def request(self) -> dict[str, Any]:
        """What was filled in, in the form of the API."""
        return {
            "products": [wanted for product in self.rules.products if (wanted := self._product(product))],
            "services": [wanted for service in self.rules.services if (wanted := self._service(service))],
            "billing_period": self.cleaned_data["billing_period"],
            "startup": self.cleaned_data["startup"],
        }

    def _product(self, product: Product) -> dict[str, Any] | None:
        given = {name: self.cleaned_data[f"{name}_{product.code}"] for name in ("tier", "volume")}
        filled = {name: value for name, value in given.items() if value not in (None, "")}
        return {"product": product.code, **filled} if filled else None

    def _service(self, service: Service) -> dict[str, Any] | None:
        quantity = self.cleaned_data[f"quantity_{service.code}"]
        return {"service": service.code, "quantity": quantity} if quantity else None

    def take_errors(self, refused: BadRequest, request: Mapping[str, Any]) -> None:
        """Show each refusal beside the row it is about."""
        for error in refused.errors:
            place = re.match(r"products\[(\d+)\](?:\.(tier|volume))?", error["field"])
            field = None
            if place:
                field = f"{place[2] or 'tier'}_{request['products'][int(place[1])]['product']}"
            self.add_error(field, error["message"])


def check_page(request: HttpRequest, *, site: Any) -> HttpResponse:
    """Show the form and, when it was sent, the calculation. Nothing is stored, so it is sent by GET."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    rules = current_rules()
    form = CheckForm(request.GET if "billing_period" in request.GET else None, rules=rules)
    calculation = None
    if form.is_valid():
        wanted = form.request()
        try:
            calculation = try_out(data=wanted)
        except BadRequest as refused:
            form.take_errors(refused, wanted)
    context = {
        **site.each_context(request),
        "title": gettext("Check a calculation"),
        "form": form,
        "calculation": calculation and calculation_context(calculation, rules),
    }
    return TemplateResponse(request, "admin/pricing/check.html", context)


def calculation_context(calculation: Calculation, rules: Rules) -> dict[str, Any]:
    """A calculation as the back office shows it: lines, sums and the trace in sentences."""
    language = (get_language() or "ru")[:2]
    lines = [
        (
            line.product.name.in_language(language),
            words.product_detail(line, language),
            words.ON_REQUEST[language] if line.amount is None else words.money(line.amount),
        )
        for line in calculation.products
    ]
    extras = [
        (
            line.service.name.in_language(language),
            words.service_detail(line, language),
            words.money(line.amount),
        )
        for line in calculation.services
    ]
    discounts = [
        (
            line.discount.name.in_language(language),
            words.percent(line.discount.percent),
            f"−{words.money(line.amount)}",
        )
        for line in calculation.discounts
    ]
    return {
        "lines": lines,
        "discounts": discounts,
        "extras": extras,
        "subscription": words.money(calculation.subscription),
        "discount_total": words.money(calculation.discount_total),
        "services_total": words.money(calculation.services_total),
        "total": words.money(calculation.total),
        "vat": words.vat_words(calculation.vat, calculation.vat_amount, language),
        "on_request": calculation.on_request,
        "trace": list(tell(snapshot.trace_to_json(calculation), rules)),
    }
