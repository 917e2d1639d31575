"""Logs, errors, metrics."""
