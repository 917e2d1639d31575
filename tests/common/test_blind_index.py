"""Finding what is encrypted: what means the same has the same digest, and nothing else has."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from django.conf import settings
from django.test import override_settings

from common.blind_index import (
    email_digest,
    normalize_email,
    normalize_phone,
    normalize_words,
    phone_digest,
    word_digests,
)

PHONES = [
    "+79161234567",
    "89161234567",
    "8 (916) 123-45-67",
    "+7 916 123 45 67",
    "7 916 123-45-67",
    "9161234567",
    "8-916-123-45-67",
    "8.916.123.45.67",
    "+7(916)1234567",
    " +7 916 123‑45‑67 ",
    "８９１６１２３４５６７",
    "+7 916 123-45-67 доб. 12",
    "tel:+79161234567",
]


@pytest.mark.parametrize("text", PHONES)
def test_a_phone_is_the_same_however_it_is_written(text):
    assert normalize_phone(text) == "+79161234567"
    assert phone_digest(text) == phone_digest("+79161234567")


@pytest.mark.parametrize("text", ["", "привет", "123", "1 800", "657 600,00 ₽", "+7 916", "8" * 70, None])
def test_what_is_no_phone_has_no_digest(text):
    assert phone_digest(text) == ""


def test_foreign_numbers_keep_their_country():
    assert normalize_phone("+49 30 901820") == "+4930901820"
    assert normalize_phone("+7 701 123 45 67") == "+77011234567"


@pytest.mark.parametrize("text", ["Ivan@Mail.ru", " ivan@mail.ru ", "<ivan@mail.ru>", "IVAN@MAIL.RU.", "ivan＠mail.ru"])
def test_an_address_is_the_same_however_it_is_written(text):
    assert email_digest(text) == email_digest("ivan@mail.ru") != ""


def test_cyrillic_domains_meet_their_ascii_form():
    assert normalize_email("почта@Пример.РФ") == normalize_email("почта@xn--e1afmkfd.xn--p1ai")


@pytest.mark.parametrize("text", ["", "ivan", "ivan@", "@mail.ru", "a b@mail.ru", None])
def test_what_is_no_address_has_no_digest(text):
    assert email_digest(text) == ""


@pytest.mark.parametrize(
    "text, words",
    [
        ("ООО «Рога и Копыта»", ["и", "копыта", "рога"]),
        ('Общество с ограниченной ответственностью "Ёлка"', ["елка"]),
        ("ПАО Сбербанк", ["сбербанк"]),
        ("ИП Алёшин Пётр", ["алешин", "петр"]),
        ("Acme Ltd.", ["acme"]),
        ("  Анна-Мария  ", ["анна", "мария"]),
        ("ООО", ["ооо"]),
        ("", []),
        (None, []),
    ],
)
def test_words_come_without_case_quotes_and_legal_form(text, words):
    assert normalize_words(text) == words


def test_a_company_is_found_by_some_of_its_words():
    stored = set(word_digests("ООО «Рога и Копыта»"))

    assert set(word_digests("копыта РОГА")) <= stored
    assert not set(word_digests("копыта хвосты")) <= stored


def test_digest_is_hmac_sha256_of_label_and_value():
    with override_settings(BLIND_INDEX_KEY=b"k" * 32):
        assert phone_digest("+79161234567") == hmac.new(b"k" * 32, b"phone\0+79161234567", hashlib.sha256).hexdigest()


def test_without_the_key_nobody_makes_the_same_digest():
    mine = phone_digest("+79161234567")

    with override_settings(BLIND_INDEX_KEY=b"another key of the same length.."):
        assert phone_digest("+79161234567") != mine
    assert mine != hashlib.sha256(b"phone\0+79161234567").hexdigest()
    assert settings.BLIND_INDEX_KEY not in settings.FIELD_ENCRYPTION_KEYS.values()


def test_labels_keep_kinds_apart():
    assert email_digest("a@b.ru") not in word_digests("a@b.ru")
