"""Evaluation: conversations with what is expected of the answers, run for real and judged. See docs/evaluation.md."""
