"""Options that commands of evaluation share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from knowledge.evaluation.variants import BadVariant, Variant, variant

#: what a command ends with that can't do what it is asked; worse results end with 1
BROKEN = 2


def add_variant_options(parser: CommandParser) -> None:
    """What is tried instead of what is in force."""
    parser.add_argument(
        "--chain", default="", metavar="SLUG[,SLUG…]", help="these models instead of the chain; keyless is the last"
    )
    parser.add_argument("--prompt", default="", metavar="VERSION", help="this version of the prompts")
    parser.add_argument("--drafts", action="store_true", help="drafts of articles count as published")
    parser.add_argument("--catalogue", type=Path, metavar="FILE.yaml", help="these prices instead of those in force")


def chosen_variant(options: Mapping[str, Any]) -> Variant:
    """What the options ask for; a command ends where that can't be tried."""
    try:
        return variant(
            chain=options["chain"],
            prompt=options["prompt"],
            drafts=options["drafts"],
            catalogue=options["catalogue"],
        )
    except BadVariant as problem:
        raise CommandError(str(problem), returncode=BROKEN) from None
