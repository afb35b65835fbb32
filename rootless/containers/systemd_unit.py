"""A user unit of systemd for a container (systemd.service(5))."""

import sys
from collections.abc import Mapping
from pathlib import Path

from rootless.containers import record as records
from rootless.containers.record import Record
from rootless.errors import InvalidInput
from rootless.paths import Paths

_VARIABLES = (
    *("ROOTLESS_ADDITIONAL_STORES", "ROOTLESS_HOME", "ROOTLESS_SCRATCH"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME"),
)
_PATIENCE_S = 10  # for what comes after the container's own time


def unit_of(word: str, environ: Mapping[str, str], restart: str) -> str:
    """Return the text of a unit; raises NotFound, InvalidInput, Conflict."""
    paths = Paths.from_environment()
    record = records.find(paths, word)
    if not record.kept:
        raise InvalidInput("the container goes with its run", record.name, "create one")
    program = str(Path(sys.argv[0]).absolute())
    return format_unit(record, program, environ, restart)


def format_unit(record: Record, program: str, environ: Mapping[str, str], restart: str) -> str:
    """Return the text of a unit that starts a container and stops it."""
    timeout = record.policy.stop_timeout
    limit = "infinity" if timeout == float("inf") else str(int(timeout) + _PATIENCE_S)
    variables = [
        f"Environment={quoted(f'{name}={environ[name]}')}" for name in _VARIABLES if name in environ
    ]
    run = quoted(program)
    lines = [
        "[Unit]",
        f"Description={record.name}: {record.image.name or record.id[:12]}".replace("%", "%%"),
        "",
        "[Service]",
        *variables,
        f"ExecStart={run} start --attach --no-sig-proxy {record.id}",
        f"ExecStop={run} stop {record.id}",
        f"ExecStopPost=-{run} stop --time 0 {record.id}",
        f"Restart={restart}",
        f"TimeoutStopSec={limit}",
        # The monitor and the container are processes of the unit: `stop` comes first.
        "KillMode=mixed",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    return "".join(f"{line}\n" for line in lines)


def quoted(word: str) -> str:
    """Return a word as systemd.syntax(7) reads it back; raises InvalidInput."""
    if "\n" in word or "\0" in word:
        raise InvalidInput("a unit cannot hold a line's end", word)
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if plain != word or not plain or " " in word or "'" in word else word
