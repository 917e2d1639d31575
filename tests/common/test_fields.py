"""Encrypted columns in real rows: bound to their place, lazy, and refusing what ciphertext can't do."""

from __future__ import annotations

import uuid

import pytest
from django.core import checks
from django.db import connection, models
from django.db.models import Count, F, Max, Q, Value
from django.db.models.functions import Concat, Upper
from django.db.models.query_utils import DeferredAttribute
from django.forms import modelform_factory
from django.template import Context, Template
from django.test import override_settings
from django.test.utils import isolate_apps

from common.checks import keys_are_usable, labels_are_unique
from common.fields import (
    EncryptedField,
    EncryptedFieldError,
    EncryptedJSONField,
    EncryptedTextField,
    Sealed,
    Undecryptable,
    readable,
    unreadable_words,
)
from common.keyring import ring
from sales.models import Conversation, Lead

pytestmark = pytest.mark.django_db

OLD, NEW = b"o" * 32, b"n" * 32


def make(name: str = "Анна Каренина", **values: str) -> Lead:
    return Lead.objects.create(name=name, channel="webchat", **values)


def token_of(lead: Lead, column: str = "name") -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM sales_lead WHERE id = %s", [lead.pk])
        found = cursor.fetchone()[0]
    return found if found is None else bytes(found)


def put_token(lead: Lead, token: bytes, column: str = "name") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE sales_lead SET {column} = %s WHERE id = %s", [token, lead.pk])


def fresh(lead: Lead) -> Lead:
    return Lead.objects.get(pk=lead.pk)


# --- storing and reading ---


def test_what_is_stored_is_not_the_text():
    lead = make("Анна Каренина")

    assert "Анна".encode() not in token_of(lead)
    assert fresh(lead).name == "Анна Каренина"


def test_empty_text_is_encrypted_like_any_other():
    lead = make("")

    assert len(token_of(lead)) == 31
    assert fresh(lead).name == ""


def test_bulk_create_encrypts_each_row_for_itself():
    made = Lead.objects.bulk_create([Lead(name=f"Имя {number}", channel="webchat") for number in range(3)])

    assert [fresh(lead).name for lead in made] == ["Имя 0", "Имя 1", "Имя 2"]
    assert len({token_of(lead)[3:15] for lead in made}) == 3


def test_json_changed_in_place_is_saved(conversation):
    conversation.memory["quote"] = {"number": "Q-1"}
    conversation.save()

    assert Conversation.objects.get(pk=conversation.pk).memory == {"quote": {"number": "Q-1"}}


def test_untouched_value_is_written_back_as_it_is():
    lead = fresh(make())
    before = token_of(lead, "company")
    found = Lead.objects.defer("name").get(pk=lead.pk)
    found.score = 5
    models.Model.save(found)

    assert token_of(lead, "company") == before


def test_deferred_column_is_fetched_when_read():
    lead = Lead.objects.only("channel").get(pk=make().pk)

    assert isinstance(vars(type(lead))["name"], DeferredAttribute)
    assert "name" in lead.get_deferred_fields()
    assert lead.name == "Анна Каренина"


def test_a_copied_instance_is_encrypted_for_its_new_row():
    lead = fresh(make())
    old = lead.pk
    lead.pk, lead._state.adding = uuid.uuid4(), True
    models.Model.save(lead)

    assert Lead.objects.get(pk=lead.pk).name == Lead.objects.get(pk=old).name == "Анна Каренина"


def test_related_rows_are_read_through_a_join(conversation):
    Lead.objects.get(pk=conversation.lead_id)
    lead = Lead.objects.get(pk=conversation.lead_id)
    lead.name = "Пётр"
    lead.save()

    assert Conversation.objects.select_related("lead").get(pk=conversation.pk).lead.name == "Пётр"


def test_rotating_the_secret_key_changes_nothing():
    leads = [make(f"Имя {number}") for number in range(20)]

    with override_settings(SECRET_KEY="another one entirely " * 4):
        assert [fresh(lead).name for lead in leads] == [f"Имя {number}" for number in range(20)]


def test_saving_after_a_rotation_leaves_the_newest_key_behind():
    with override_settings(FIELD_ENCRYPTION_KEYS={1: OLD}):
        lead = make()
        read_before = fresh(lead)
    with override_settings(FIELD_ENCRYPTION_KEYS={2: NEW, 1: OLD}):
        models.Model.save(read_before)
        assert token_of(lead)[:3] == ring().header
    with override_settings(FIELD_ENCRYPTION_KEYS={2: NEW}):
        assert fresh(lead).name == "Анна Каренина"


# --- bound to its place ---


def swapped(first: Lead, second: Lead, column: str, other: str) -> int:
    """Put one's token where the other's was; returns how many of the two read without complaint."""
    one, two = token_of(first, column), token_of(second, other)
    put_token(first, two, column)
    put_token(second, one, other)
    read = 0
    for lead, name in [(first, column), (second, other)]:
        try:
            getattr(fresh(lead), name)
            read += 1
        except Undecryptable:
            pass
    return read


def test_tokens_of_two_rows_cannot_change_places():
    assert swapped(make("Анна"), make("Пётр"), "name", "name") == 0


def test_tokens_of_two_columns_cannot_change_places():
    lead = make("Анна", company="Рога")

    assert swapped(lead, lead, "name", "company") == 0


@pytest.mark.parametrize("column, other", [("name", "name"), ("name", "company")])
def test_twin_without_binding_the_swap_goes_unseen(monkeypatch, column, other):
    monkeypatch.setattr(EncryptedField, "bound", lambda self, row: b"")

    assert swapped(make("Анна"), make("Пётр", company="Рога"), column, other) == 2


def test_a_token_of_an_older_version_is_not_taken():
    lead = make()
    put_token(lead, b"\x00" + token_of(lead)[1:])

    with pytest.raises(Undecryptable, match="known version"):
        _ = fresh(lead).name


# --- broken tokens ---


def broken() -> Lead:
    lead = make(company="Рога и копыта")
    token = bytearray(token_of(lead))
    token[-1] ^= 1
    put_token(lead, bytes(token))
    return fresh(lead)


def test_a_broken_value_raises_its_own_error_and_spares_the_others():
    make("Пётр")
    lead = broken()

    assert len(list(Lead.objects.all())) == 2
    assert lead.company == "Рога и копыта"
    with pytest.raises(Undecryptable) as raised:
        _ = lead.name
    assert (raised.value.label, raised.value.row) == ("sales.lead.name", lead.pk)


def test_pages_show_words_in_place_of_a_broken_value():
    lead = broken()

    assert readable(lead, "name") == unreadable_words()
    assert readable(lead, "company") == "Рога и копыта"
    assert Template("[{{ lead.name }}] {{ lead.company }}").render(Context({"lead": lead})) == "[] Рога и копыта"


def test_a_form_saved_over_a_broken_value_keeps_its_token():
    lead = broken()
    before = token_of(lead)
    form_class = modelform_factory(Lead, fields=["name", "company"])
    shown = form_class(instance=lead)
    form = form_class({"name": shown["name"].value(), "company": "Новая"}, instance=lead)

    assert form.is_valid(), form.errors
    models.Model.save(form.save(commit=False))

    assert token_of(lead) == before
    assert fresh(lead).company == "Новая"


def test_an_instance_with_a_broken_value_can_be_saved_without_losing_it():
    lead = broken()
    before = token_of(lead)

    models.Model.save(lead)

    assert token_of(lead) == before


def test_a_value_whose_key_is_missing_is_kept_until_the_key_is_found():
    with override_settings(FIELD_ENCRYPTION_KEYS={1: OLD}):
        lead = make()
    with override_settings(FIELD_ENCRYPTION_KEYS={2: NEW}):
        models.Model.save(fresh(lead))
        with pytest.raises(Undecryptable, match="key 1 is not in the ring"):
            _ = fresh(lead).name
    with override_settings(FIELD_ENCRYPTION_KEYS={2: NEW, 1: OLD}):
        assert fresh(lead).name == "Анна Каренина"


# --- what is refused ---


@pytest.mark.parametrize(
    "query",
    [
        lambda: Lead.objects.filter(name="Анна"),
        lambda: Lead.objects.exclude(name="Анна"),
        lambda: Lead.objects.filter(name__in=["Анна"]),
        lambda: Lead.objects.filter(name__icontains="Анна"),
        lambda: Lead.objects.filter(Q(channel="x") | Q(name__startswith="А")),
        lambda: Lead.objects.filter(channel=F("name")),
        lambda: Lead.objects.filter(conversations__memory__quote="x"),
        lambda: Conversation.objects.filter(lead__name="Анна"),
        lambda: Lead.objects.get_or_create(name="Анна"),
        lambda: list(Lead.objects.values("name")),
        lambda: list(Lead.objects.values()),
        lambda: list(Lead.objects.values_list("id", "name")),
        lambda: list(Conversation.objects.values("lead__name")),
        lambda: list(Lead.objects.order_by("name")),
        lambda: list(Lead.objects.order_by(F("name").desc())),
        lambda: list(Conversation.objects.order_by("lead__name")),
        lambda: list(Lead.objects.annotate(shown=F("name"))),
        lambda: list(Lead.objects.annotate(shown=Upper("name"))),
        lambda: list(Lead.objects.annotate(shown=Concat("name", Value("!"), output_field=models.TextField()))),
        lambda: Lead.objects.aggregate(Max("name")),
        lambda: Lead.objects.aggregate(Count("name")),
        lambda: list(Lead.objects.distinct("name")),
        lambda: Lead.objects.update(name="Анна"),
        lambda: Lead.objects.update(name=F("company")),
        lambda: Lead.objects.update(channel=F("name")),
        lambda: Lead.objects.update(name=Value("Анна")),
        lambda: Lead.objects.bulk_update([make()], ["name"]),
    ],
)
def test_a_query_that_needs_the_plain_value_is_refused(query):
    make()

    with pytest.raises(EncryptedFieldError, match="encrypted"):
        list(query())


def test_an_upsert_that_would_leave_another_rows_token_is_refused():
    with pytest.raises(EncryptedFieldError, match="upsert"):
        Lead.objects.bulk_create(
            [Lead(name="Анна", channel="x")], update_conflicts=True, unique_fields=["id"], update_fields=["name"]
        )


def test_an_upsert_of_other_columns_is_fine():
    lead = make()
    Lead.objects.bulk_create(
        [Lead(pk=lead.pk, name="Другая", channel="avito")],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["channel"],
    )

    assert (fresh(lead).name, fresh(lead).channel) == ("Анна Каренина", "avito")


def test_presence_can_be_asked_and_rows_counted_and_deleted():
    make()
    make()

    assert Lead.objects.filter(name__isnull=False).count() == 2
    assert Lead.objects.filter(name__isnull=True).exists() is False
    assert Lead.objects.distinct().count() == 2
    assert list(Conversation.objects.filter(lead__name__isnull=True)) == []
    assert Lead.objects.filter(name__isnull=False).update(score=1) == 2
    assert Lead.objects.filter(pk__in=Lead.objects.all()).delete()[0] == 2


def test_an_expression_assigned_to_an_instance_is_refused():
    lead = make()
    lead.name = Value("Анна")

    with pytest.raises(EncryptedFieldError):
        models.Model.save(lead)


def test_only_text_is_text():
    lead = make()
    lead.name = 5

    with pytest.raises(TypeError):
        models.Model.save(lead)


def test_fixtures_do_not_carry_plain_values():
    from django.core import serializers

    with pytest.raises(EncryptedFieldError):
        serializers.serialize("json", [make()])


# --- declaration ---


def test_migrations_rebuild_the_same_field():
    for field in [
        EncryptedTextField("name", label="a.b.c", max_length=100, blank=True, default=""),
        EncryptedJSONField(label="a.b.d", default=dict, null=True),
    ]:
        _, path, args, kwargs = field.deconstruct()

        assert path == f"common.fields.{type(field).__name__}"
        assert type(field)(*args, **kwargs).deconstruct() == field.deconstruct()


@isolate_apps("sales")
def test_checks_ask_for_a_uuid_key_a_label_and_no_index():
    class Numbered(models.Model):  # noqa: DJ008
        secret = EncryptedTextField(label="x.y.z")

        class Meta:
            app_label = "sales"

    class Careless(models.Model):  # noqa: DJ008
        id = models.UUIDField(primary_key=True)
        secret = EncryptedTextField(unique=True)

        class Meta:
            app_label = "sales"

    assert [each.id for each in Numbered.check()] == ["common.E003"]
    assert {each.id for each in Careless.check()} == {"common.E001", "common.E002", "common.E003"}


def test_checks_find_a_label_used_twice(monkeypatch):
    assert labels_are_unique(None) == []

    monkeypatch.setattr(Lead._meta.get_field("company"), "label", "sales.lead.name")

    assert [each.id for each in labels_are_unique(None)] == ["common.E004"]


def test_checks_find_unusable_and_shared_keys():
    assert keys_are_usable(None) == []
    with override_settings(FIELD_ENCRYPTION_KEYS="1:short"):
        assert [each.id for each in keys_are_usable(None)] == ["common.E005"]
    with override_settings(FIELD_ENCRYPTION_KEYS={1: OLD}, BLIND_INDEX_KEY=OLD):
        assert [each.id for each in keys_are_usable(None)] == ["common.E006"]


def test_all_models_pass_the_checks():
    assert [each for each in checks.run_checks() if (each.id or "").startswith("common.")] == []


def test_sealed_values_do_not_show_in_reprs():
    assert repr(Sealed(b"token")) == "<sealed>"
