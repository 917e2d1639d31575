"""The supervisor of `make run`: its configuration, and the words we exchange with it over its socket."""

from __future__ import annotations

import shlex
import sys
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path

from config.embedded.programs import Program
from config.embedded.state import ROOT, as_root, folder, socket_dir

NEVER_GIVE_UP = 1_000_000_000
# Servers and applications stop one group after the other: together less than the promised fifteen seconds.
SECONDS_TO_STOP = 6


def control_socket(state: Path) -> Path:
    """Return the path of the supervisor's own socket."""
    return socket_dir(folder(state / "supervisor"), owner=None) / "supervisor.sock"


def configuration(*, state: Path, servers: Iterable[str], programs: Iterable[Program]) -> str:
    """Return the text of `supervisord.conf`. Secrets come from the supervisor's environment, never from this file."""
    sections = [
        _section("unix_http_server", file=control_socket(state), chmod="0700"),
        _section(
            "supervisord",
            nodaemon="true",
            silent="true",
            logfile=state / "logs" / "supervisord.log",
            loglevel="info",
            pidfile=state / "supervisor" / "supervisord.pid",
            childlogdir=state / "logs",
            directory=ROOT,
            strip_ansi="true",
            **({"user": "root"} if as_root() else {}),
        ),
        _section(
            "rpcinterface:supervisor",
            **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
    ]
    own = [sys.executable, "-m", "config.embedded"]
    servers, programs = list(servers), list(programs)
    for name in servers:
        # PostgreSQL's children have process groups of their own; asking each of them to end would end nothing sooner
        signals = {"stopsignal": "INT", "stopasgroup": "false"} if name == "postgres" else {}
        sections.append(_program(name, [*own, "serve", name], state=state, autostart="true", **signals))
    for program in programs:
        command = [*own, "tied", str(Path(sys.executable).with_name(program.words[0])), *program.words[1:]]
        kind = f'PROCESS_KIND="{program.kind}"'
        sections.append(_program(program.name, command, state=state, autostart="false", environment=kind))
    if servers:
        sections.append(_section("group:servers", programs=",".join(servers), priority=10))
    sections.append(_section("group:app", programs=",".join(each.name for each in programs), priority=20))
    return "\n".join(sections)


class Control:
    """A line to the running supervisor."""

    def __init__(self, path: Path) -> None:
        from supervisor.xmlrpc import SupervisorTransport

        transport = SupervisorTransport(serverurl=f"unix://{path}")
        self._proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)

    def start(self, name: str) -> None:
        """Start a program without waiting for it."""
        self._proxy.supervisor.startProcess(name, False)

    def state(self) -> dict[str, tuple[str, int]]:
        """Return each program's state and process id (0 when it isn't running)."""
        found = self._proxy.supervisor.getAllProcessInfo()
        assert isinstance(found, list)
        return {each["name"]: (each["statename"], each["pid"]) for each in found}


def _program(name: str, command: list[str], *, state: Path, **more: str) -> str:
    values = {
        "command": shlex.join(command),
        "directory": ROOT,
        "autorestart": "true",
        "startsecs": 1,
        "startretries": NEVER_GIVE_UP,
        "stopsignal": "TERM",
        "stopasgroup": "true",
        "killasgroup": "true",
        "stopwaitsecs": SECONDS_TO_STOP,
        "redirect_stderr": "true",
        "stdout_logfile": state / "logs" / f"{name}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 2,
    }
    return _section(f"program:{name}", **(values | more))


def _section(title: str, **values: object) -> str:
    # a percent sign begins an expansion there
    lines = [f"{name} = {str(value).replace('%', '%%')}" for name, value in values.items()]
    return "\n".join([f"[{title}]", *lines, ""])
