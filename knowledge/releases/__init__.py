"""Checks before publishing: drafts are tried on the evaluation cases, and held up where a case gets worse."""
