"""Facts about the knowledge base that others may hear; sent inside the transaction that made them true."""

from django.dispatch import Signal

article_changed = Signal()
"""An article has a new version: other words, other questions, published or withdrawn. ``article``."""

release_check_owed = Signal()
"""A check before publishing was asked for, or has more to do than one round could. ``check``."""
