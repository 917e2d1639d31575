"""What apps offer by convention: a module of a given name, in each app that has one."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps


@cache
def of_apps(name: str, *, without: str = "") -> tuple[tuple[str, ModuleType], ...]:
    """The modules called ``name`` with their apps' names, in the order of the apps.

    ``without`` is the app in which a module of that name is something else.
    """
    return tuple(
        (app.name, importlib.import_module(f"{app.name}.{name}"))
        for app in apps.get_app_configs()
        if app.name != without and find_spec(f"{app.name}.{name}")
    )
