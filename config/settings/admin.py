"""The back office: its theme and its menu."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _item(title: Any, icon: str, model: str) -> dict[str, Any]:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "active": lambda request: _is_of(request, f"/admin/{app}/{name}/"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


def _is_of(request: Any, root: str) -> bool:
    """Whether the page belongs to a model; what has an item of its own under the model's address doesn't."""
    return request.path.startswith(root) and not request.path.startswith(_OWN_ITEMS)


_OWN_ITEMS = ("/admin/sales/conversation/stuck/", "/admin/pricing/product/check/")


UNFOLD = {
    "SITE_TITLE": _("Sales assistant"),
    "SITE_HEADER": _("Sales assistant"),
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("site/icon.svg")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "COMMAND": {"search_models": False, "show_history": False},
    "DASHBOARD_CALLBACK": "config.dashboard.fill",
    "STYLES": [lambda request: static("admin/back-office.css")],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": _("Sales"),
                "separator": False,
                "items": [
                    {
                        "title": _("Overview"),
                        "icon": "home",
                        "link": reverse_lazy("admin:index"),
                        "active": lambda request: request.path == "/admin/",
                    },
                    _item(_("Leads"), "person_search", "sales.lead"),
                    _item(_("Conversations"), "forum", "sales.conversation"),
                    _item(_("Answers"), "troubleshoot", "knowledge.inspectedturn"),
                    {
                        "title": _("What is stuck"),
                        "icon": "report",
                        "link": reverse_lazy("admin:sales_stuck"),
                        "permission": lambda request: request.user.has_perm("sales.view_turn"),
                    },
                    _item(_("Notices"), "notifications", "sales.notice"),
                    _item(_("Deliveries"), "outgoing_mail", "channels_app.delivery"),
                    _item(_("Duty"), "schedule", "sales.duty"),
                    _item(_("Auto-replies"), "quickreply", "channels_app.autoreply"),
                    _item(_("Rules of the score"), "scoreboard", "sales.scorerule"),
                ],
            },
            {
                "title": _("Avito"),
                "separator": True,
                "items": [
                    _item(_("Listings"), "storefront", "channels_app.avitoitem"),
                    _item(_("Purchases"), "trending_up", "channels_app.avitopurchase"),
                ],
            },
            {
                "title": _("Knowledge base"),
                "separator": True,
                "items": [
                    _item(_("Articles"), "menu_book", "knowledge.article"),
                    _item(_("Synonyms"), "compare_arrows", "knowledge.synonyms"),
                    _item(_("Unanswered questions"), "contact_support", "knowledge.gap")
                    | {"badge": "knowledge.gaps.admin.badge", "badge_variant": "primary"},
                    _item(_("Evaluation set"), "fact_check", "knowledge.evaluationcase"),
                    _item(_("Checks before publishing"), "rule_settings", "knowledge.releasecheck"),
                ],
            },
            {
                "title": _("Prices"),
                "separator": True,
                "items": [
                    _item(_("Products"), "sell", "pricing.product"),
                    _item(_("Tiers and prices"), "payments", "pricing.tier"),
                    _item(_("Services"), "handyman", "pricing.service"),
                    _item(_("Discounts"), "percent", "pricing.discount"),
                    _item(_("Rules of calculation"), "rule", "pricing.pricingrules"),
                    _item(_("VAT modes"), "account_balance", "pricing.vatmode"),
                    {
                        "title": _("Check a calculation"),
                        "icon": "calculate",
                        "link": reverse_lazy("admin:pricing_check"),
                        "permission": lambda request: request.user.has_perm("pricing.view_product"),
                    },
                    _item(_("Quotes"), "request_quote", "pricing.quote"),
                ],
            },
            {
                "title": _("Documents"),
                "separator": True,
                "items": [
                    _item(_("Documents"), "description", "billing.document"),
                    _item(_("Sellers"), "business", "billing.seller"),
                    _item(_("Managers"), "badge", "billing.manager"),
                ],
            },
            {
                "title": _("Language models"),
                "separator": True,
                "items": [
                    _item(_("Models"), "psychology", "knowledge.modelprofile"),
                    _item(_("Budget"), "savings", "knowledge.modelbudget"),
                    _item(_("Days"), "bar_chart", "knowledge.modelday"),
                    _item(_("Calls"), "call_made", "knowledge.modelcall"),
                ],
            },
            {
                "title": _("Administration"),
                "separator": True,
                "items": [
                    _item(_("Users"), "group", "sales.user"),
                    _item(_("Groups"), "lock", "auth.group"),
                ],
            },
        ],
    },
}
