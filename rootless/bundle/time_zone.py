"""The host's time zone for a command inside: what `TZ` has to say there.

An image without the zone's rules reads its name as UTC, so that such a one gets the rules
themselves, which a file of the host ends with. Sources: tzfile(5), tzset(3), RFC 9636.
"""

import os
from collections.abc import Callable, Mapping

_LOCALTIME = "/etc/localtime"
_FOLDER = "zoneinfo/"
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
    try:
        target = os.path.realpath(localtime)
        with open(target, "rb") as file:
            data = file.read(_MAX_BYTES)
    except OSError:
        return ""
    name = target.rpartition(_FOLDER)[2] if _FOLDER in target else ""
    if name in _UTC:
        return ""
    if name and has_file(f"usr/share/{_FOLDER}{name}".encode()):
        return f"TZ={name}"
    rules = data.rstrip(b"\n").rpartition(b"\n")[2]
    is_text = data.startswith(b"TZif") and rules.isascii() and rules.decode().isprintable()
    return f"TZ={rules.decode()}" if is_text and rules not in (b"", b"UTC0") else ""
