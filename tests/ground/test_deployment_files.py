"""The deployment files: well formed, without secrets, and the commands in them start the processes they name."""

from __future__ import annotations

import json
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import Celery

from config.embedded import programs, temporary
from config.embedded.database import newer_migrations
from config.embedded.state import ROOT, secrets, state_dir
from tests.ground.support import finish, free_port, get, running, until

BIN = Path(sys.prefix) / "bin"


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def words_of_image() -> list[str]:
    found = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert len(found) == 1
    return list(json.loads(found[0]))


def test_containers_run_what_one_machine_runs(compose: Any) -> None:
    web = programs.web(host="0.0.0.0", port=8000)
    expected = {
        "app": web.words,
        "worker": programs.worker("answers", "delivery", "sync").words,
        "worker-documents": programs.worker("documents", concurrency=2).words,
        "beat": programs.beat().words,
        "sweep": programs.sweep().words,
    }

    assert {name: tuple(compose["services"][name]["command"]) for name in expected} == expected
    assert tuple(words_of_image()) == web.words


def test_every_queue_has_a_worker(compose: Any) -> None:
    served = [
        queue
        for name, service in compose["services"].items()
        if name.startswith("worker")
        for queue in service["command"][service["command"].index("-Q") + 1].split(",")
    ]

    assert sorted(served) == sorted(programs.QUEUES)


def test_every_container_waits_for_the_migrations(compose: Any) -> None:
    waiting = {
        name: service["depends_on"]["migrate"]["condition"]
        for name, service in compose["services"].items()
        if service.get("build") and name != "migrate"
    }

    assert set(waiting) == {"app", "worker", "worker-documents", "beat", "sweep"}
    assert set(waiting.values()) == {"service_completed_successfully"}


def test_images_are_pinned_and_passwords_are_asked_for(compose: Any) -> None:
    images = [service["image"] for service in compose["services"].values() if "build" not in service]
    text = (ROOT / "docker-compose.yml").read_text()

    assert len(images) == 3
    assert not [image for image in images if not re.search(r":\d+\.\d+", image)]
    assert "${POSTGRES_PASSWORD:?" in text
    assert "${VALKEY_PASSWORD:?" in text


def test_the_image_brings_what_the_set_up_brings() -> None:
    text = (ROOT / "Dockerfile").read_text()
    libraries = re.findall(r'": "(lib[\w.-]+)"', (ROOT / "deploy" / "bootstrap.py").read_text())

    assert len(libraries) == 3
    assert [name for name in libraries if name not in text] == []
    assert "--require-hashes" in text
    assert re.search(r"^USER sales$", text, flags=re.MULTILINE)


def test_yaml_files_are_clean() -> None:
    files = ["docker-compose.yml", ".pre-commit-config.yaml", ".github", ".yamllint.yaml"]

    checked = finish([str(BIN / "yamllint"), "--strict", *files], cwd=ROOT)

    assert checked.stdout + checked.stderr == ""


def test_nginx_is_balanced_passes_websockets_on_and_logs_no_secret() -> None:
    text = re.sub(r"#.*", "", (ROOT / "deploy" / "nginx.conf").read_text())
    form = re.search(r"log_format safe (.*?);", text, flags=re.DOTALL)
    assert form is not None
    statements = [line.strip() for line in text.splitlines() if line.strip()]

    assert text.count("{") == text.count("}") > 5
    assert [line for line in statements if line[-1] not in "{};'"] == []
    assert re.findall(r"\$(?:request_uri|uri|args|query_string|request|http_\w+)\b", form[1]) == []
    assert re.findall(r"access_log (.*);", text) == ["/dev/stdout safe", "off"]
    for location in ("/api/v1/webhooks/", "/documents/"):
        block = text.split(f"location {location} {{")[1].split("}")[0]
        assert "error_log /dev/null crit;" in block
    assert "proxy_set_header Upgrade $http_upgrade;" in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text


def test_every_variable_of_the_settings_is_explained() -> None:
    read = {
        name
        for path in (ROOT / "config").rglob("*.py")
        for name in re.findall(r'\benv\.\w+\(\s*"([A-Z0-9_]+)"', path.read_text())
    }
    explained = set(re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))

    assert read > {"SECRET_KEY", "DATABASE_URL"}
    assert sorted(read - explained) == []


def test_the_example_starts_as_it_is(folder: Path) -> None:
    # as manage.py does it: the file first, then what is still missing
    code = (
        "import os, pathlib; from config.embedded import dotenv, known\n"
        "dotenv.load(pathlib.Path('.env.example'), os.environ)\n"
        "os.environ.update(known(os.environ))\n"
        "import config.settings"
    )

    done = finish([sys.executable, "-W", "error", "-c", code], cwd=ROOT, STATE_DIR=str(folder / "state"))

    assert done.stderr == ""
    assert done.returncode == 0


@pytest.fixture(scope="module")
def production(compose: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A production environment on servers of its own, migrated by the command of the container `migrate`."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("production")
        env = {
            **stack.enter_context(temporary(folder / "servers")),
            **secrets(state_dir({"STATE_DIR": str(folder / "state")})),
            "STATE_DIR": str(folder / "state"),
            "ENVIRONMENT": "production",
            "PUBLIC_URL": "https://sales.example.org",
            "ALLOWED_HOSTS": "sales.example.org,127.0.0.1",
            "TRUSTED_PROXIES": "1",
            "PYTHONUNBUFFERED": "1",
        }
        migrated = finish([str(BIN / "python"), *compose["services"]["migrate"]["command"][1:]], cwd=ROOT, **env)
        assert migrated.returncode == 0, migrated.stderr
        yield env


def test_the_containers_commands_start_and_end(compose: Any, production: dict[str, str]) -> None:
    port = free_port()
    with ExitStack() as stack:
        commands = {}
        for name in ("app", "worker", "worker-documents", "beat", "sweep"):
            service = compose["services"][name]
            words = [str(BIN / service["command"][0]), *service["command"][1:]]
            if name == "app":
                words[words.index("0.0.0.0")] = "127.0.0.1"
                words[words.index("8000")] = str(port)
            kind = {"PROCESS_KIND": service["environment"]["PROCESS_KIND"]}
            commands[name] = stack.enter_context(running(words, cwd=ROOT, **production, **kind))

        until(lambda: get(f"http://127.0.0.1:{port}/health") == 200, seconds=90, what=shlex.join(words))
        # asked from here: a `celery inspect` of its own would load the whole product for each question
        with Celery(broker=production["REDIS_URL"].replace("unix://", "redis+socket://", 1)) as asker:
            until(lambda: len(asker.control.ping(timeout=1)) == 2, seconds=90, what="two workers answer")
        ended_early = {name: command.output for name, command in commands.items() if command.child.poll() is not None}
        for command in commands.values():
            command.send(signal.SIGTERM, group=False)
        statuses = {name: command.wait(30) for name, command in commands.items()}

    assert ended_early == {}
    assert set(statuses) == {"app", "worker", "worker-documents", "beat", "sweep"}


def test_production_refuses_to_start_without_its_keys(production: dict[str, str]) -> None:
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "BLIND_INDEX_KEY", "DATABASE_URL"):
        env = {key: value for key, value in production.items() if key != name}

        refused = finish([sys.executable, "manage.py", "migrate", "--check"], cwd=ROOT, **env)

        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1
        assert name in refused.stderr


def test_a_newer_databases_migrations_are_recognised() -> None:
    known = {("sales", "0001_initial"), ("sales", "0002_more"), ("billing", "0001_initial")}

    assert newer_migrations(known | {("sales", "0003_future")}, known) == ["sales.0003_future"]
    assert newer_migrations(known - {("sales", "0002_more")}, known) == []
    # squashed away here, or of an app that isn't ours any more: no sign of a newer version
    assert newer_migrations(known | {("sales", "0001_old"), ("gone", "0007_x")}, known) == []
