"""The embedded PostgreSQL and Valkey: they answer, share, survive, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.embedded import Servers, ensure, temporary
from config.embedded.state import ROOT, secrets, socket_dir, state_dir
from tests.ground.support import Running, alive, finish, running, until

USER = """
import json, sys
from config.embedded import ensure
print(json.dumps(ensure({"STATE_DIR": sys.argv[1]})), flush=True)
sys.stdin.read()
"""


def user(state: Path) -> Running:
    return Running([sys.executable, "-c", USER, str(state)], cwd=ROOT)


def processes(state: Path) -> list[psutil.Process]:
    servers = Servers({"STATE_DIR": str(state)})
    assert servers.postgres is not None and servers.valkey is not None
    return [process for process in (servers.postgres.process(), servers.valkey.process()) if process is not None]


def test_a_fresh_pair_answers_and_knows_cyrillic_capitals(folder: Path) -> None:
    with temporary(folder) as addresses, psycopg.connect(addresses["DATABASE_URL"]) as database:
        database.execute("CREATE EXTENSION vector")
        row = database.execute(
            "SELECT upper('ёж'), 'ДОГОВОР' ILIKE 'договор', to_tsvector('russian', 'ЦЕНЫ')::text, "
            "'[3,4]'::vector <-> '[0,0]'::vector, current_setting('max_connections')"
        ).fetchone()
        answered = redis.Redis.from_url(addresses["REDIS_URL"]).ping()

    assert row == ("ЁЖ", True, "'цен':1", 5.0, "200")
    assert answered


def test_a_temporary_pair_is_gone_with_its_block(folder: Path) -> None:
    with temporary(folder):
        pair = processes(folder / "state")

    assert len(pair) == 2
    assert alive(pair) == []


def test_a_temporary_pair_ends_with_a_killed_owner(folder: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from config.embedded import temporary\n"
        "with temporary(Path(sys.argv[1])): print('up', flush=True); time.sleep(60)"
    )
    with running([sys.executable, "-c", code, str(folder)], cwd=ROOT) as owner:
        owner.says("up", seconds=20)
        pair = processes(folder / "state")

        owner.send(signal.SIGKILL, group=False)

        assert len(pair) == 2
        until(lambda: alive(pair) == [], seconds=10, what="the servers end")


def test_keys_and_addresses_that_are_given_are_left_alone() -> None:
    env = {"DATABASE_URL": "postgresql://elsewhere/x", "REDIS_URL_FILE": "/run/secrets/redis", "SECRET_KEY": "mine"}

    found = ensure(env | {"STATE_DIR": os.environ["STATE_DIR"]})

    assert sorted(found) == ["BLIND_INDEX_KEY", "FIELD_ENCRYPTION_KEYS", "STATE_DIR"]


def test_production_gets_nothing_made_up(folder: Path) -> None:
    found = ensure({"ENVIRONMENT": "production", "STATE_DIR": str(folder / "state")})

    assert found == {"STATE_DIR": str(folder / "state")}
    assert list((folder / "state").iterdir()) == []


def test_two_commands_share_the_servers_and_the_last_one_stops_them(begun: Path) -> None:
    state = begun / "state"
    first, second = user(state), user(state)
    first.says("DATABASE_URL", seconds=30)
    second.says("DATABASE_URL", seconds=30)
    pair = processes(state)

    first.release()
    first.wait(20)
    while_the_second_works = alive(pair)
    second.release()
    second.wait(20)

    assert first.output == second.output
    assert len(while_the_second_works) == 2
    assert alive(pair) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_command_that_is_told_to_end_stops_its_servers(begun: Path, number: int) -> None:
    command = user(begun / "state")
    command.says("DATABASE_URL", seconds=30)
    pair = processes(begun / "state")

    command.send(number, group=False)

    assert command.wait(20) != 0
    assert len(pair) == 2
    assert alive(pair) == []


def test_servers_of_a_killed_command_are_taken_over_with_their_data(begun: Path) -> None:
    state = begun / "state"
    killed = user(state)
    killed.says("DATABASE_URL", seconds=30)
    address = json.loads(killed.output)["DATABASE_URL"]
    with psycopg.connect(address) as database:
        database.execute("CREATE TABLE kept AS SELECT 1 AS one")
    pair = processes(state)
    killed.send(signal.SIGKILL, group=False)
    killed.wait(5)
    left_behind = alive(pair)

    next_one = user(state)
    next_one.says("DATABASE_URL", seconds=30)
    with psycopg.connect(address) as database:
        row = database.execute("SELECT one FROM kept").fetchone()
    next_one.release()
    next_one.wait(20)

    assert len(left_behind) == 2
    assert row == (1,)
    assert alive(pair) == []


def test_killed_servers_come_back_with_what_was_stored(begun: Path) -> None:
    servers = Servers({"STATE_DIR": str(begun / "state")})
    assert servers.postgres is not None and servers.valkey is not None
    servers.start()
    with psycopg.connect(servers.postgres.url) as database:
        database.execute("CREATE TABLE kept AS SELECT 1 AS one")
    redis.Redis.from_url(servers.valkey.url).set("kept", "yes")
    for process in processes(begun / "state"):
        process.kill()
        process.wait(10)

    servers.start()
    with psycopg.connect(servers.postgres.url) as database:
        row = database.execute("SELECT one FROM kept").fetchone()
    kept = redis.Redis.from_url(servers.valkey.url).get("kept")
    servers.stop()

    assert (row, kept) == ((1,), b"yes")


def test_a_lock_file_that_names_somebody_elses_process_is_no_obstacle(begun: Path) -> None:
    servers = Servers({"STATE_DIR": str(begun / "state")})
    assert servers.postgres is not None and servers.valkey is not None
    servers.start()
    servers.stop()
    (servers.postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{servers.postgres.data}\n1\n5432\n")
    (servers.valkey.home / "valkey.pid").write_text(f"{os.getpid()}\n")

    servers.start()
    answered = servers.running()
    servers.stop()

    assert answered
    assert psutil.pid_exists(os.getpid())


def test_half_made_database_files_are_made_anew(folder: Path) -> None:
    servers = Servers({"STATE_DIR": str(folder / "state")})
    assert servers.postgres is not None
    (servers.postgres.home / "data.new" / "base").mkdir(parents=True)

    servers.postgres.start()
    answered = servers.postgres.running()
    servers.stop()

    assert answered


def test_a_closed_home_stays_closed(folder: Path) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    with temporary(home / "app") as addresses, psycopg.connect(addresses["DATABASE_URL"]) as database:
        answered = database.execute("SELECT 1").fetchone()

    assert answered == (1,)
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder.joinpath(*["папка" * 8] * 3)
    with temporary(deep) as addresses, psycopg.connect(addresses["DATABASE_URL"]) as database:
        answered = database.execute("SELECT 1").fetchone()
        pinged = redis.Redis.from_url(addresses["REDIS_URL"]).ping()

    assert answered == (1,)
    assert pinged


def test_a_socket_folder_that_others_can_enter_is_refused(folder: Path) -> None:
    (folder / "socket").mkdir()
    (folder / "socket").chmod(0o777)

    with pytest.raises(PermissionError):
        socket_dir(folder, owner=None)


def test_keys_are_made_once_and_for_us_alone(folder: Path) -> None:
    state = state_dir({"STATE_DIR": str(folder / "state")})
    code = "import sys, pathlib\nfrom config.embedded.state import secrets\nprint(secrets(pathlib.Path(sys.argv[1])))"
    several = [Running([sys.executable, "-c", code, str(state)], cwd=ROOT) for _ in range(4)]
    for each in several:
        each.wait(20)

    assert {each.output for each in several} == {f"{secrets(state)}\n"}
    assert (state / "keys.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in state.iterdir()] == ["keys.json"]


def test_servers_are_told_none_of_our_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "planted-secret")
    with temporary(folder):
        seen = [Path(f"/proc/{each.pid}/environ").read_text() for each in processes(folder / "state")]

    assert len(seen) == 2
    assert not [text for text in seen if "planted-secret" in text]


def test_files_of_another_postgresql_are_refused_in_a_sentence(folder: Path) -> None:
    servers = Servers({"STATE_DIR": str(folder / "state")})
    assert servers.postgres is not None
    servers.postgres.data.mkdir()
    (servers.postgres.data / "PG_VERSION").write_text("17\n")

    refused = finish([sys.executable, "-c", USER, str(folder / "state")], cwd=ROOT)

    assert "was written by PostgreSQL 17" in refused.stderr
    assert (servers.postgres.data / "PG_VERSION").read_text() == "17\n"
