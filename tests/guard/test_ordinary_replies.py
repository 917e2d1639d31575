"""Ordinary replies pass: phones, dates, papers, volumes, terms and prices as a careful model words them."""

from __future__ import annotations

from tests.guard.replies import cases

#: of a hundred ordinary replies so many may be stopped
MOST = 0.02


def test_of_ordinary_replies_at_most_two_in_a_hundred_are_stopped() -> None:
    replies = list(cases("ordinary_replies.txt"))

    stopped = [(case.reply, case.judge().unproven) for case in replies if not case.judge().passed]

    assert len(replies) >= 300
    assert len(stopped) <= MOST * len(replies), stopped


def test_replies_that_the_rules_were_not_made_by_pass_as_well() -> None:
    replies = list(cases("ordinary_replies_later.txt"))

    stopped = [(case.reply, case.judge().unproven) for case in replies if not case.judge().passed]

    assert len(replies) >= 55
    assert len(stopped) <= MOST * len(replies), stopped
