"""The key ring: what it makes, what it opens, and what it refuses."""

from __future__ import annotations

import base64
import random
import uuid

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from common.fields import EncryptedJSONField, EncryptedTextField, Sealed, Undecryptable
from common.keyring import BadKeyRing, BadToken, KeyRing, ring

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
ROW = uuid.UUID("11111111-2222-3333-4444-555555555555")

# made apart from our code, by AES in GCM mode from the primitive cipher: key 00..1f with the number 7, nonce 64..6f,
# bound to version, number, the label's length, the label and the row
KNOWN_TOKEN = (
    "0100076465666768696a6b6c6d6e6f988b0edba954862e1eb2c5386ab4ea2df712bbda33bc4ea217d0519749d2c62d7ef126956698aaa937"
)


class Row:
    """As much of a model instance as a field needs to decrypt."""

    pk = ROW


def field(label: str = "sales.lead.name") -> EncryptedTextField:
    return EncryptedTextField(label=label)


def test_a_token_made_elsewhere_by_the_same_rules_opens():
    with override_settings(FIELD_ENCRYPTION_KEYS={7: KEY}):
        opened = field().unseal(Sealed(bytes.fromhex(KNOWN_TOKEN)), Row())

    assert opened == "Анна Каренина"


def test_text_form_of_the_ring_is_newest_first():
    found = KeyRing.parse(f"2:{base64.b64encode(OTHER).decode()},1:{base64.b64encode(KEY).decode()}")

    assert found.newest == 2
    assert found.seal(b"x")[:3] == b"\x01\x00\x02"


def test_old_key_still_opens_and_a_lost_key_is_named():
    token = KeyRing({1: KEY}).seal(b"text", b"place")

    assert KeyRing({2: OTHER, 1: KEY}).open(token, b"place") == b"text"
    with pytest.raises(BadToken, match="key 1 is not in the ring"):
        KeyRing({2: OTHER}).open(token, b"place")


@pytest.mark.parametrize(
    "keys, words",
    [
        ({}, "empty"),
        ({0: KEY}, "1 to 65535"),
        ({70000: KEY}, "1 to 65535"),
        ({True: KEY}, "1 to 65535"),
        ({1: KEY[:16]}, "exactly 32"),
        ({1: KEY.hex()}, "exactly 32"),
        ({1: KEY, 2: KEY}, "same key"),
    ],
)
def test_unusable_keys_are_refused_with_the_reason(keys, words):
    with pytest.raises(BadKeyRing, match=words):
        KeyRing(keys)


@pytest.mark.parametrize(
    "text", ["", "abc", "1:", "x:AAAA", "1:not base64!", f"1:{'A' * 43}=,1:{'B' * 43}=", "-1:AAAA"]
)
def test_unusable_text_forms_are_refused(text):
    with pytest.raises(BadKeyRing):
        KeyRing.parse(text)


def test_error_of_a_bad_key_does_not_show_the_key():
    secret = base64.b64encode(b"quite a secret, but short").decode()

    with pytest.raises(BadKeyRing) as raised:
        KeyRing.parse(f"1:{secret}")

    assert secret not in str(raised.value)


def test_same_value_twice_gives_different_tokens():
    keys = KeyRing({1: KEY})

    assert len({keys.seal(b"Anna") for _ in range(1000)}) == 1000


@settings(max_examples=1000, deadline=None)
@given(st.text(alphabet=st.characters()))
def test_every_text_comes_back(text):
    with override_settings(FIELD_ENCRYPTION_KEYS={1: KEY}):
        assert field().unseal(Sealed(field().seal(text, ROW)), Row()) == text


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_every_json_value_comes_back(value):
    column = EncryptedJSONField(label="a.b.c")

    with override_settings(FIELD_ENCRYPTION_KEYS={1: KEY}):
        assert column.unseal(Sealed(column.seal(value, ROW)), Row()) == value


@pytest.mark.parametrize("value", ["\x00", "\ud800 alone", "👨‍👩‍👧‍👦" * 800, "‮abc", ""])
def test_nasty_text_comes_back(value):
    with override_settings(FIELD_ENCRYPTION_KEYS={1: KEY}):
        assert field().unseal(Sealed(field().seal(value, ROW)), Row()) == value


def test_every_single_byte_corruption_is_rejected():
    dice = random.Random(5)
    with override_settings(FIELD_ENCRYPTION_KEYS={1: KEY, 2: OTHER}):
        token = field().seal("Анна Каренина, +7 916 123-45-67", ROW)
        rejected = 0
        for number in range(2000):
            at = number % len(token)
            broken = bytearray(token)
            broken[at] ^= dice.randrange(1, 256)
            with pytest.raises(Undecryptable):
                field().unseal(Sealed(bytes(broken)), Row())
            rejected += 1

    assert rejected == 2000


@pytest.mark.parametrize("token", [b"", b"\x01", b"\x01\x00\x01" + b"0" * 27, b"plain text that was never encrypted"])
def test_what_is_no_token_is_not_taken_for_text(token):
    with override_settings(FIELD_ENCRYPTION_KEYS={1: KEY}), pytest.raises(Undecryptable):
        field().unseal(Sealed(token), Row())


def test_cut_and_lengthened_tokens_are_rejected():
    with override_settings(FIELD_ENCRYPTION_KEYS={1: KEY}):
        token = field().seal("Anna", ROW)
        for broken in [token[:-1], token + b"\x00", token[:31]]:
            with pytest.raises(Undecryptable):
                field().unseal(Sealed(broken), Row())


def test_changing_the_setting_changes_the_ring():
    with override_settings(FIELD_ENCRYPTION_KEYS={9: KEY}):
        assert ring().newest == 9
    assert ring().newest != 9
