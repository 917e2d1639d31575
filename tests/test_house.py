"""The house stays as it was drawn: arrows point down, names say what they mean, nothing grows past reading."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from sales.assistant.tools import TOOLS
from sales.enums import MOVES, Stage

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"common": -1, "sales": 0, "pricing": 1, "knowledge": 2, "billing": 3, "crm": 4, "channels_app": 4}
ROOMS = [*FLOORS, "config"]


def test_foreign_keys_point_down() -> None:
    upward = [
        str(field)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation
        and not field.auto_created
        and field.related_model
        and FLOORS.get(field.related_model._meta.app_label, 0) > FLOORS.get(model._meta.app_label, 9)
    ]

    assert upward == []


def test_imports_point_down() -> None:
    found = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )

    assert found.returncode == 0, found.stdout


def test_no_python_file_is_longer_than_600_lines() -> None:
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    long = {name: count for name in files if (count := len((ROOT / name).read_text().splitlines())) > 600}

    assert long == {}


def test_every_tool_says_what_it_is_for() -> None:
    assert {name for name, tool in TOOLS.items() if len(tool.description) < 30} == set()
    assert all(name.split("__")[0] in FLOORS for name in TOOLS)


def test_every_stage_of_a_lead_stands_in_the_table_of_moves() -> None:
    assert set(MOVES) == set(Stage)
    assert all(to in set(Stage) for moves in MOVES.values() for to in moves)


def test_user_model_is_in_the_first_migration() -> None:
    first = MigrationLoader(None).disk_migrations["sales", "0001_initial"]

    assert "User" in [operation.name for operation in first.operations if hasattr(operation, "name")]


@pytest.mark.parametrize("word", ["MagicMock", "ALWAYS_EAGER", "InMemoryChannelLayer", "sqlite3"])
def test_real_parts_only(word: str) -> None:
    found = subprocess.run(
        ["git", "grep", "-lI", word, "--", "*.py", "*.toml", "*.yml", f":!{Path(__file__).relative_to(ROOT)}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert found == []
