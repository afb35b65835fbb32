"""Changes of an image config by words of a Containerfile: `rootless commit --change`; pure.

As `podman commit --change` has them: `CMD /bin/sh`, `CMD=["/bin/sh"]`, `ENV A=1 B=2`. Source of the
members: OCI image specification, config.md; `OnBuild` is Docker's.
"""

import json
import posixpath
import re
import shlex
import signal
from collections.abc import Iterable
from typing import Any

from rootless.errors import InvalidInput

INSTRUCTIONS = (
    *("CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL"),
    *("ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
DEFAULT_SHELL = ("/bin/sh", "-c")
"""What goes before the shell's form of a command, where no SHELL says otherwise."""
_KEYS = {
    "EXPOSE": "ExposedPorts",
    "LABEL": "Labels",
    "ONBUILD": "OnBuild",
    "STOPSIGNAL": "StopSignal",
    "VOLUME": "Volumes",
    "WORKDIR": "WorkingDir",
}
_WORDS = re.compile(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)", re.DOTALL)
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_HIGHEST_PORT, _HIGHEST_SIGNAL = 65535, 64


def changed(config: dict[str, Any], instruction: str) -> dict[str, Any]:
    """Return the `config` member of an image config with one instruction applied.

    Raises:
        InvalidInput: It is none of INSTRUCTIONS, or says nothing that a config can hold.
    """
    match = _WORDS.fullmatch(instruction)
    name, value = (match[1].upper(), match[2].strip()) if match is not None else ("", "")
    if name not in INSTRUCTIONS or not value:
        fix = f"INSTRUCTION VALUE, one of {', '.join(INSTRUCTIONS)}"
        raise InvalidInput("not a change of an image", instruction, fix)
    if any("\ud800" <= c <= "\udfff" or c == "\0" for c in value):
        raise InvalidInput("not valid UTF-8, which an image config must be", instruction)
    return {**config, **_members(config, name, value)}


def _members(config: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """Return the member of a config that an instruction sets."""
    key = _KEYS.get(name, name.capitalize())
    now = config.get(key)
    new: Any = value
    if name in ("CMD", "ENTRYPOINT"):
        new = _array(name, value) or [*DEFAULT_SHELL, value]
    elif name == "ENV":
        new = with_variables(now or [], _pairs("ENV", value))
    elif name == "EXPOSE":
        new = {**(now or {}), **ports(value.split())}
    elif name == "LABEL":
        new = {**(now or {}), **dict(_pairs(name, value))}
    elif name == "ONBUILD":
        new = [*(now or []), value]
    elif name == "STOPSIGNAL":
        new = signal_name(value)
    elif name == "VOLUME":
        new = {**(now or {}), **{each: {} for each in _array(name, value) or _split(name, value)}}
    elif name == "WORKDIR":
        new = working_folder(now or "/", value)
    return {key: new}


def _array(name: str, value: str) -> list[str]:
    """Return the strings of a JSON array; none where it is no array but a shell's words."""
    if not value.startswith("["):
        return []
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return []  # as docker has it: `CMD [ -f x ] && y` is a shell's
    if not all(isinstance(each, str) for each in found):
        raise InvalidInput(f"{name} must be an array of strings", value)
    return list(found)


def _split(name: str, value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}", value) from error


def _pairs(name: str, value: str) -> list[tuple[str, str]]:
    """Return NAME=VALUE pairs; `NAME the rest` is one, as Containerfiles once had it."""
    words = _split(name, value)
    if "=" not in words[0]:
        first, _, rest = value.partition(" ")
        words = [f"{first}={rest.strip()}"] if rest.strip() else words
    pairs = [word.partition("=") for word in words]
    if any(not key or not equals for key, equals, _ in pairs):
        raise InvalidInput(f"{name} must have the form NAME=VALUE", value)
    return [(key, text) for key, _, text in pairs]


def with_variables(env: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the NAME=VALUE words with more variables; one that is there keeps its place."""
    kept = {each.partition("=")[0]: each for each in env}
    kept |= {key: f"{key}={text}" for key, text in pairs}
    return list(kept.values())


def working_folder(now: str, path: str) -> str:
    """Return the folder that WORKDIR names, from the one that it names so far."""
    return "/" + posixpath.normpath(posixpath.join("/", now, path)).lstrip("/")


def ports(words: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return members of `ExposedPorts`, one for each port of a range; raises InvalidInput."""
    found: dict[str, dict[str, str]] = {}
    for word in words:
        match = _PORT.fullmatch(word)
        first = int(match[1]) if match is not None else 0
        last = int(match[2]) if match is not None and match[2] else first
        if match is None or not 0 < first <= last <= _HIGHEST_PORT:
            raise InvalidInput("not a port to expose", word, "PORT[-PORT][/tcp|udp|sctp]")
        protocol = (match[3] or "tcp").lower()
        found |= {f"{port}/{protocol}": {} for port in range(first, last + 1)}
    return found


def signal_name(value: str) -> str:
    """Return a signal as `StopSignal` has it: its full name, or its number; raises InvalidInput."""
    name = value.upper()
    full = name if name.startswith("SIG") else f"SIG{name}"
    is_number = value.isascii() and value.isdigit() and 0 < int(value[:4]) <= _HIGHEST_SIGNAL
    is_real_time = re.fullmatch(r"SIGRTM(IN\+|AX-)\d{1,2}", full) is not None
    if not (is_number or is_real_time or full in signal.Signals.__members__):
        raise InvalidInput("no such signal", value, "a name such as SIGTERM, or a number")
    return value if is_number else full
