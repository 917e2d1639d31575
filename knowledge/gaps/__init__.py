"""Questions that no article answered: kept, grouped by likeness, and turned into articles by staff."""
