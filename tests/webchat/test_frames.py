"""The pure parts: what a frame is, how many may come, which page may knock."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.webchat import frames, origins
from channels_app.webchat.frames import BadFrame, Limits
from common.text import clean
from sales import operations

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["hello", "message", "typing", "read", "ping", "ack", ""])
FIELDS = st.fixed_dictionaries(
    {"type": KINDS}, optional=dict.fromkeys(("token", "after", "client_id", "text", "seq"), ANY_JSON)
)


@given(ANY_JSON.map(json.dumps) | FIELDS.map(json.dumps) | st.text())
def test_every_text_is_a_frame_or_a_bad_frame(text: str) -> None:
    try:
        frame = frames.parse(text)
    except BadFrame as problem:
        assert problem.code
        assert str(problem)
    else:
        if isinstance(frame, frames.Say):
            assert 1 <= len(frame.client_id) <= 100
            assert 1 <= len(frame.text) <= frames.TEXT_MOST
            assert frame.text == clean(frame.text)


@given(st.text(st.characters(), min_size=1, max_size=100), st.text(st.characters(), min_size=1, max_size=100))
def test_different_ids_of_browsers_stay_different_and_can_be_stored(one: str, other: str) -> None:
    kept = [frames.external_id(each) for each in (one, other)]

    assert (kept[0] == kept[1]) == (one == other)
    for each in kept:
        assert "\x00" not in each
        assert len(each.encode("utf-8")) > 0
        assert len(each) <= 200


def test_the_limit_on_text_is_the_grounds_own() -> None:
    assert frames.TEXT_MOST == operations.TEXT_MOST


def test_text_that_grows_when_it_is_cleaned_is_refused_and_not_cut() -> None:
    grows = "\u0958" * 2001  # each becomes two characters in normal form

    with pytest.raises(frames.BadText) as problem:
        frames.checked_text(grows)

    assert problem.value.code == "too_long"


def test_the_three_hundredth_frame_within_ten_seconds_is_too_many() -> None:
    limits = Limits()

    verdicts = [limits.another(number / 100) for number in range(300)]

    assert verdicts == [False] * 299 + [True]


def test_frames_that_come_slowly_may_come_for_ever() -> None:
    limits = Limits()

    assert not any(limits.another(number * 10 / 298) for number in range(5000))


def test_the_fiftieth_bad_frame_is_too_many() -> None:
    limits = Limits()

    assert [limits.another_bad() for _ in range(50)] == [False] * 49 + [True]


@pytest.mark.parametrize(
    ("origin", "enters"),
    [
        ("https://shop.ru", True),
        ("HTTPS://Shop.RU", True),
        ("https://shop.ru:443", True),
        ("https://chat.example", True),  # our own
        ("https://evil.ru", False),
        ("https://shop.ru.evil.ru", False),
        ("https://evil-shop.ru", False),
        ("https://xn--hop-5cd.ru", False),
        ("https://ѕhop.ru", False),
        ("https://www.shop.ru", False),
        ("https://shop.ru:444", False),
        ("http://shop.ru", False),
        ("https://shop.ru@evil.ru", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("https://[bad", False),
        (None, False),
    ],
)
def test_only_pages_of_named_sites_may_open_a_socket(origin: str | None, enters: bool) -> None:
    headers = [] if origin is None else [(b"origin", origin.encode())]

    found = origins.may_enter({"headers": headers}, allowed=["https://shop.ru/"], own="https://chat.example")

    assert found is enters


def test_two_origins_are_no_origin() -> None:
    headers = [(b"origin", b"https://shop.ru"), (b"origin", b"https://shop.ru")]

    assert not origins.may_enter({"headers": headers}, allowed=["https://shop.ru"], own="https://chat.example")


def test_any_page_may_enter_where_no_site_is_named() -> None:
    assert origins.may_enter({"headers": []}, allowed=[], own="https://chat.example")
