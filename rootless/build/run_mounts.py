"""`RUN --mount=…`: Dockerfile reference, "RUN --mount"; pure."""

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rootless.errors import InvalidInput
from rootless.oci.document import HIGHEST_ID

if TYPE_CHECKING:
    from rootless.build.containerfile import Instruction

BIND: Final = "bind"
CACHE: Final = "cache"
TMPFS: Final = "tmpfs"
SECRET: Final = "secret"  # noqa: S105 - a type of mounts
SSH: Final = "ssh"
SHARED: Final = "shared"
PRIVATE: Final = "private"
LOCKED: Final = "locked"

_SPELLED = {
    "src": "source",
    "dst": "target",
    "destination": "target",
    "rw": "readwrite",
    "ro": "readonly",
}
_OF_FILES = ("target", "uid", "gid", "mode")
_KNOWN = {
    BIND: ("target", "source", "from", "readwrite", "readonly", "relabel", "bind-propagation"),
    CACHE: (*_OF_FILES, "id", "sharing", "from", "source", "readonly", "readwrite"),
    TMPFS: ("target", "size", "mode"),
    SECRET: (*_OF_FILES, "id", "required", "env"),
    SSH: (*_OF_FILES, "id", "required"),
}
_SIZE = re.compile(r"[0-9]+[kmgtKMGT]?[bB]?")


@dataclass(frozen=True, slots=True)
class RunMount:
    """One `--mount`.

    Attributes:
        kind: BIND, CACHE, TMPFS, SECRET or SSH.
        target: Absolute path inside; "" for a secret that is only a variable.
        source: Path in what it is from; "" for all of it.
        origin: Stage or image that it is from; "" for the context.
        is_writable: It can be written to.
        id: Of a cache, a secret or a socket.
        sharing: Of a cache: SHARED, PRIVATE or LOCKED.
        mode: Permissions; None for the kind's own.
        uid: Owner inside.
        gid: Group inside.
        size: Of a tmpfs, as mount(8) has it; "" for its default.
        is_required: A secret or socket must be there.
        env: The variable that gets a secret; "" for none.
    """

    kind: str
    target: str
    source: str = ""
    origin: str = ""
    is_writable: bool = False
    id: str = ""
    sharing: str = SHARED
    mode: int | None = None
    uid: int = 0
    gid: int = 0
    size: str = ""
    is_required: bool = False
    env: str = ""


def run_mounts(instruction: "Instruction", working_dir: str) -> tuple[RunMount, ...]:
    """Return the mounts that a RUN asks for; raises BuildError.

    Args:
        instruction: The RUN, its variables replaced.
        working_dir: What a relative target is relative to.
    """
    found: list[RunMount] = []
    for name, text in instruction.flags:
        if name == "mount":
            with instruction.blamed(InvalidInput):
                found.append(_parsed(text, working_dir, len(found)))
    return tuple(found)


def _parsed(text: str, working_dir: str, number: int) -> RunMount:
    values = _values(text)
    kind = values.pop("type", BIND)
    if kind not in _KNOWN:
        raise InvalidInput("unknown type of mount", kind, f"one of {', '.join(_KNOWN)}")
    for name in values:
        if name not in _KNOWN[kind]:
            fix = f"there are {', '.join(_KNOWN[kind])}"
            raise InvalidInput(f"a mount of type {kind} has no {name!r}", text, fix)
    target = _target(kind, values, number, text)
    writable = kind == CACHE
    if "readonly" in values:
        writable = not _truth(values["readonly"], text)
    if "readwrite" in values:
        writable = _truth(values["readwrite"], text)
    return RunMount(
        kind=kind,
        target=posixpath.normpath(posixpath.join("/", working_dir, target)) if target else "",
        source=values.get("source", ""),
        origin=values.get("from", ""),
        is_writable=writable,
        id=values.get("id", "") or _default_id(kind, target, working_dir),
        sharing=_sharing(values.get("sharing", SHARED)),
        mode=_mode(values.get("mode", ""), text),
        uid=_id(values.get("uid", "0"), text),
        gid=_id(values.get("gid", "0"), text),
        size=_size(values.get("size", "")),
        is_required=_truth(values.get("required", "false"), text),
        env=values.get("env", ""),
    )


def _values(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for item in filter(None, text.split(",")):
        name, equals, value = item.partition("=")
        name = _SPELLED.get(name.strip().lower(), name.strip().lower())
        values[name] = value if equals else "true"
    return values


def _target(kind: str, values: dict[str, str], number: int, text: str) -> str:
    target = values.get("target", "")
    if kind == SECRET and not target:
        name = values.get("id", "")
        if not name:
            raise InvalidInput("a secret needs an id", text, "--mount=type=secret,id=NAME")
        return "" if values.get("env") else f"/run/secrets/{posixpath.basename(name)}"
    if kind == SSH and not target:
        return f"/run/buildkit/ssh_agent.{number}"
    if not target:
        raise InvalidInput("a mount needs a target", text, "add target=/FOLDER")
    if posixpath.normpath(posixpath.join("/", target)) == "/" and target.startswith("/"):
        raise InvalidInput("the root cannot be mounted on", text)
    return target


def _default_id(kind: str, target: str, working_dir: str) -> str:
    if kind == SECRET:
        return posixpath.basename(target)
    if kind == SSH:
        return "default"
    return posixpath.normpath(posixpath.join("/", working_dir, target))


def _sharing(text: str) -> str:
    if text not in (SHARED, PRIVATE, LOCKED):
        raise InvalidInput("unknown sharing of a cache", text, "one of shared, private, locked")
    return text


def _truth(text: str, whole: str) -> bool:
    if text.lower() not in ("true", "1", "false", "0"):
        raise InvalidInput(f"{text!r} is neither true nor false", whole)
    return text.lower() in ("true", "1")


def _mode(text: str, whole: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"0?o?[0-7]{1,4}", text):
        raise InvalidInput("a mode must be octal", whole, "such as mode=0400")
    return int(text.replace("o", ""), 8)


def _id(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > HIGHEST_ID:
        raise InvalidInput("an owner must be a number", whole)
    return int(text)


def _size(text: str) -> str:
    if text and not _SIZE.fullmatch(text):
        raise InvalidInput("not a size", text, "such as size=64m")
    return text.rstrip("bB")
