"""Rotation of keys while the system runs: nothing unreadable, nothing lost, at any moment and after any kill."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Model
from django.test import override_settings

from common.keyring import ring
from sales.models import Lead

OLD, NEW = b"o" * 32, b"n" * 32
BOTH = {2: NEW, 1: OLD}

pytestmark = pytest.mark.django_db(transaction=True)


def make_leads(count: int) -> list[Lead]:
    with override_settings(FIELD_ENCRYPTION_KEYS={1: OLD}):
        return Lead.objects.bulk_create(
            [Lead(name=f"Имя {number}", company=f"Фирма {number}", channel="x") for number in range(count)]
        )


def on_key(number: int) -> int:
    header = b"\x01" + number.to_bytes(2, "big")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sales_lead WHERE substring(name FROM 1 FOR 3) = %s", [header])
        return cursor.fetchone()[0]


def reencrypt(**options: int) -> dict[str, int]:
    out = StringIO()
    call_command("reencrypt", stdout=out, stderr=StringIO(), **options)
    return json.loads(out.getvalue())


def test_every_value_gets_the_newest_key_and_the_old_one_may_go():
    leads = make_leads(25)

    with override_settings(FIELD_ENCRYPTION_KEYS=BOTH):
        told = reencrypt(batch=7)
    with override_settings(FIELD_ENCRYPTION_KEYS={2: NEW}):
        names = {lead.pk: (lead.name, lead.company) for lead in Lead.objects.all()}

    assert told == {"reencrypted": 25, "unreadable": 0, "key": 2}
    assert names == {lead.pk: (lead.name, lead.company) for lead in leads}


def test_a_second_run_has_nothing_to_do():
    make_leads(5)

    with override_settings(FIELD_ENCRYPTION_KEYS=BOTH):
        first, second = reencrypt(), reencrypt()

    assert (first["reencrypted"], second["reencrypted"]) == (5, 0)


def test_the_blind_index_is_not_touched():
    with override_settings(FIELD_ENCRYPTION_KEYS={1: OLD}):
        lead = Lead.objects.create(phone="+79161234567", channel="x")

    with override_settings(FIELD_ENCRYPTION_KEYS=BOTH):
        reencrypt()
        assert Lead.objects.known_as("8 916 123-45-67").get() == lead


def test_what_cannot_be_read_is_left_and_told_and_the_rest_is_done():
    leads = make_leads(6)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sales_lead SET name = set_byte(name, 20, 1 # get_byte(name, 20)) WHERE id = %s", [leads[2].pk]
        )
        cursor.execute("SELECT name FROM sales_lead WHERE id = %s", [leads[2].pk])
        broken = bytes(cursor.fetchone()[0])

    with override_settings(FIELD_ENCRYPTION_KEYS=BOTH), pytest.raises(CommandError, match="1 values can't be read"):
        reencrypt()

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sales_lead WHERE id = %s", [leads[2].pk])
        assert bytes(cursor.fetchone()[0]) == broken
    assert (on_key(1), on_key(2)) == (1, 5)


def test_a_row_that_somebody_holds_is_waited_for_without_stopping_the_rest():
    leads = make_leads(10)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Lead.objects.select_for_update().get(pk=leads[0].pk)
            holding.set()
            release.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(10)
    with override_settings(FIELD_ENCRYPTION_KEYS=BOTH):
        done = threading.Thread(target=lambda: (reencrypt(batch=3), connection.close()))
        done.start()
        deadline = time.monotonic() + 10
        while on_key(2) < 9 and time.monotonic() < deadline:
            time.sleep(0.02)
        others = (on_key(2), on_key(1))
        release.set()
        holder.join(20)
        done.join(20)

    assert others == (9, 1)
    assert (on_key(2), on_key(1)) == (10, 0)


def test_a_writer_that_read_before_and_saves_after_keeps_the_newest_key():
    lead = make_leads(1)[0]

    with override_settings(FIELD_ENCRYPTION_KEYS=BOTH):
        stale = Lead.objects.get(pk=lead.pk)
        reencrypt()
        Model.save(stale)

    assert on_key(2) == 1


def environment() -> dict[str, str]:
    """For a process of its own that works in this test's database, with both keys."""
    name = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"]
    head, _, tail = url.partition("?")
    keys = ",".join(f"{number}:{base64.b64encode(key).decode()}" for number, key in BOTH.items())
    return {
        **os.environ,
        "DATABASE_URL": head.rsplit("/", 1)[0] + f"/{name}" + (f"?{tail}" if tail else ""),
        "FIELD_ENCRYPTION_KEYS": keys,
    }


def test_killed_again_and_again_under_traffic_it_still_ends_with_every_value_readable():
    leads = make_leads(3000)
    wanted = {lead.pk: f"Имя {number}" for number, lead in enumerate(leads)}
    stop, failures = threading.Event(), []
    dice = random.Random(3)

    def write() -> None:
        """Live traffic: rows are read, changed and saved all the while."""
        try:
            while not stop.is_set():
                with transaction.atomic():
                    lead = Lead.objects.select_for_update().get(pk=dice.choice(leads).pk)
                    lead.name = wanted[lead.pk] = f"Новое {time.monotonic_ns()}"
                    Model.save(lead)
                _ = Lead.objects.get(pk=dice.choice(leads).pk).name
                stop.wait(0.005)  # traffic, not a contest for the processor
        except Exception as problem:
            failures.append(problem)
        finally:
            connection.close()

    with override_settings(FIELD_ENCRYPTION_KEYS=BOTH):
        writer = threading.Thread(target=write)
        writer.start()
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "reencrypt", "--batch", "20"]
        kills = 0
        for _ in range(3):
            before = on_key(1)
            process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while on_key(1) > before - 200 and process.poll() is None:
                time.sleep(0.01)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
        between = on_key(1)
        last = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        stop.set()
        writer.join(30)

    assert last.returncode == 0, last.stderr
    assert kills == 3
    assert between > 0
    assert failures == []
    assert (on_key(1), on_key(2)) == (0, 3000)
    with override_settings(FIELD_ENCRYPTION_KEYS={2: NEW}):
        assert ring().newest == 2
        assert {lead.pk: lead.name for lead in Lead.objects.all()} == wanted
