"""Small values of the command line: sizes, entrypoints, security options; pure."""

import json
import re
import resource
import shlex
from collections.abc import Iterable

from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Rlimit

_SIZE = re.compile(r"([0-9]{1,15})\s*(?:b|([kmgt]?)(?:i?b)?)", re.IGNORECASE)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,3}")
_LIMIT = re.compile(r"[0-9]{1,18}|-1|unlimited")
_NOT_CONFINED = (("label", "disable"), ("apparmor", "unconfined"))


def size(text: str) -> int:
    """Return the bytes of `64m`, `1g` or a plain number."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise InvalidInput("not a size", text, "a number, with k, m or g behind it")
    return int(match[1]) << (10 * " kmgt".index((match[2] or " ").lower()))


def entrypoint(text: str | None) -> tuple[str, ...] | None:
    """Return the words of `--entrypoint`: one program, or a JSON array; "" clears it."""
    if text is None:
        return None
    if text.startswith("["):
        return words(text, "--entrypoint")
    return (text,) if text else ()  # a path may hold spaces: as podman has it


def words(text: str, option: str) -> tuple[str, ...]:
    """Return the words of an option's value: a JSON array, or what a shell makes of it."""
    if text.startswith("["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{option} is no JSON array", text) from error
        if not all(isinstance(word, str) for word in value):
            raise InvalidInput(f"{option} must be an array of strings", text)
        return tuple(value)
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidInput(f"{option}: {error}", text) from error


def ipc(text: str) -> tuple[str, ...]:
    """Return which namespaces `--ipc` shares with the host."""
    if text not in ("", "private", "host"):
        raise InvalidInput("unknown IPC namespace", text, "one of private, host")
    return ("ipc",) if text == "host" else ()


def umask(text: str) -> int | None:
    """Return the mask of `--umask`, octal; None where it was not given."""
    if not text:
        return None
    if not re.fullmatch(r"0?[0-7]{1,3}", text):
        raise InvalidInput("not a file mode mask", text, "octal digits, such as 0027")
    return int(text, 8)


def oom_score(text: str) -> int | None:
    """Return the number of `--oom-score-adj`; None where it was not given."""
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,4}", text) or abs(int(text)) > 1000:
        raise InvalidInput("not a score", text, "--oom-score-adj takes -1000 to 1000")
    return int(text)


def time_zone(text: str) -> str:
    """Return the zone of `--tz`: a path below zoneinfo/ that leads nowhere else, or "local"."""
    if text and not _ZONE.fullmatch(text):
        raise InvalidInput("not a time zone", text, "--tz Europe/Berlin, --tz local")
    return text


def rlimit(text: str) -> Rlimit:
    """Return the limit of `--ulimit`: NAME=SOFT[:HARD], names as in limits.conf(5)."""
    name, _, values = text.partition("=")
    kind = f"RLIMIT_{name.upper().removeprefix('RLIMIT_')}"
    soft, _, hard = values.partition(":")
    if not (hasattr(resource, kind) and _LIMIT.fullmatch(soft) and _LIMIT.fullmatch(hard or soft)):
        raise InvalidInput("not a resource limit", text, "NAME=SOFT[:HARD], such as nofile=1024")
    low, high = (-1 if n == "unlimited" else int(n) for n in (soft, hard or soft))
    if high >= 0 and not 0 <= low <= high:
        raise InvalidInput("the soft limit is above the hard one", text)
    return Rlimit(kind, low, high)


def annotation(text: str) -> tuple[str, str]:
    """Return key and value of `--annotation`."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InvalidInput("an annotation must have the form KEY=VALUE", text)
    return key, value


def no_new_privileges(options: Iterable[str]) -> bool:
    """Return whether no_new_privs is set, which it is unless `--security-opt` says no.

    What switches off a confinement that is not made anyway is accepted for compatibility.
    """
    result = True
    for option in options:
        name, value = _security_option(option)
        if (name, value) in _NOT_CONFINED or (name == "seccomp" and value):
            continue
        if name != "no-new-privileges" or value not in ("", "true", "false"):
            known = "seccomp=FILE|unconfined, no-new-privileges[=true|false]"
            raise InvalidInput("unknown security option", option, known)
        result = value != "false"
    return result


def seccomp(options: Iterable[str]) -> str:
    """Return what `--security-opt seccomp=…` names last: a profile's file, or "unconfined"."""
    named = [value for name, value in map(_security_option, options) if name == "seccomp"]
    return named[-1] if named else ""


def _security_option(text: str) -> tuple[str, str]:
    """Return name and value; Docker's older form has a colon."""
    separator = min((c for c in "=:" if c in text), key=text.index, default="=")
    name, _, value = text.partition(separator)
    return name, value
