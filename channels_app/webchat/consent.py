"""The consent that a visitor of the web chat gives: which wording, and the whole of it, as the page shows it."""

from __future__ import annotations

from django.template.loader import render_to_string

#: changes with every change of the wording; kept with each consent that was given
VERSION = "2026-11-24"


def text() -> str:
    """The wording in force, plain text in Russian: paragraphs apart by an empty line."""
    return render_to_string("site/consent_text.txt").strip()
