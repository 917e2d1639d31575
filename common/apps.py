from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "common"
    verbose_name = "Shelf"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers system checks; needs the app registry
