"""Facts about the knowledge base that others may hear; sent inside the transaction that made them true."""

from django.dispatch import Signal

article_changed = Signal()
"""An article has a new version: other words, other questions, published or withdrawn. ``article``."""
