"""The composition root. It knows every room, and nobody imports it.

Nothing is imported here: `config.embedded` has to come up quickly, and before there are settings.
"""
