from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = _("Sales")

    def ready(self) -> None:
        # the ways that lead up the house: abilities and listeners are found by their module's name
        autodiscover_modules("tools", "receivers", "checks")
