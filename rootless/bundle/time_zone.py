"""A time zone for a command inside, the host's or a named one: what `TZ` has to say there.

An image without the zone's rules reads its name as UTC, so that such a one gets the rules
themselves, which a file of the host ends with. Sources: tzfile(5), tzset(3), RFC 9636.
"""

import os
from collections.abc import Callable, Mapping

from rootless.errors import InvalidInput

_LOCALTIME = "/etc/localtime"
_FOLDER = "zoneinfo/"
_OF_THE_HOST = "/usr/share/zoneinfo"
LOCAL = "local"
_UTC = ("UTC", "Etc/UTC", "UCT", "Etc/UCT", "Zulu", "Universal")
_MAX_BYTES = 1 << 16


def variable(
    environ: Mapping[str, str], has_file: Callable[[bytes], bool], localtime: str = _LOCALTIME
) -> str:
    """Return `TZ=…`; "" where the caller has a TZ of his own, or the image's UTC is right.

    Args:
        environ: The caller's environment.
        has_file: Tells whether the image has a file, by its path.
        localtime: The host's file.
    """
    if "TZ" in environ:
        return ""
    target = os.path.realpath(localtime)
    data = _read(target)
    name = target.rpartition(_FOLDER)[2] if _FOLDER in target else ""
    if name in _UTC:
        return ""
    if name and has_file(f"usr/share/{_FOLDER}{name}".encode()):
        return f"TZ={name}"
    rules = _rules(data)
    return f"TZ={rules}" if rules not in ("", "UTC0") else ""


def named(
    zone: str,
    environ: Mapping[str, str],
    has_file: Callable[[bytes], bool],
    folder: str = _OF_THE_HOST,
) -> str:
    """Return `TZ=…` for a zone that was asked for, the caller's for LOCAL.

    Raises InvalidInput where neither the image nor the host has the zone.
    """
    if zone == LOCAL:
        return f"TZ={environ['TZ']}" if "TZ" in environ else variable(environ, has_file)
    if zone in _UTC:
        return "TZ=UTC0"
    if has_file(f"usr/share/{_FOLDER}{zone}".encode()):
        return f"TZ={zone}"
    rules = _rules(_read(f"{folder}/{zone}"))
    if not rules:
        raise InvalidInput("neither the image nor the host has the time zone", zone)
    return f"TZ={rules}"


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return b""


def _rules(data: bytes) -> str:
    """Return the rules that a zone's file ends with; "" where it is none."""
    rules = data.rstrip(b"\n").rpartition(b"\n")[2]
    is_text = data.startswith(b"TZif") and rules.isascii() and rules.decode().isprintable()
    return rules.decode() if is_text else ""
