r"""The options of `rootless-overlay -o`: overlayfs's, fuse-overlayfs's and mount(8)'s; pure.

    lowerdir=A:B:C          folders and plain tars, the uppermost first; `\:` and `\,` are escapes
    upperdir=DIR,workdir=DIR
    uidmapping=SHOWN:STORED:LENGTH[:...], gidmapping=...
    squash_to_root, squash_to_uid=N, squash_to_gid=N
    xattr_permissions=0|1|2 owner and mode in `user.containers.override_stat` for 1 and 2
    noxattrs, noacl, static_nlink, volatile
    ro, suid, dev, exec, atime and their opposites, allow_other, max_read=N, ...

What others understand and here is always or never so is taken and has no effect: `rw`,
`default_permissions`, `userxattr`, `redirect_dir=`, `index=`, `metacopy=`, `xino=`, `threaded=`,
`timeout=` and their kind.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

Lines = tuple[tuple[int, int, int], ...]

_ID_MAX = 2**32 - 2
"""The highest UID or GID: one more says "none" to chown(2)."""

_FOR_THE_MOUNT = re.compile(
    r"ro|(no)?(suid|dev|exec|atime|diratime|relatime|strictatime)|(a)?sync|dirsync|allow_other"
    r"|allow_root|max_read=\d+"
)
_WITHOUT_EFFECT = re.compile(
    r"|rw|defaults|default_permissions|userxattr|auto|noauto|(no)?user|users|owner|group|_netdev|nofail"
    r"|x-.*|comment=.*|redirect_dir=\w+|index=\w+|metacopy=\w+|xino=\w+|uuid=\w+|nfs_export=\w+"
    r"|subtype=.*|threaded=\d|fast_ino=\d|writeback=\d|timeout=[\d.]+|clone_fd|max_idle_threads=\d+|nonempty"
)


class OptionError(ValueError):
    """An option that is none, or one without the value that it needs."""


@dataclass(frozen=True, slots=True)
class OverlayOptions:
    """What is to be mounted, and how.

    Attributes:
        lowerdirs: The uppermost first.
        upperdir: Empty for a read-only mount.
        workdir: On the upperdir's file system.
        uid_mapping: Lines (shown, stored, length).
        gid_mapping: The same for GIDs.
        squash_uid: UID that everything is shown and stored as; -1 for none.
        squash_gid: The same for GIDs.
        keeps_stat_in_xattr: Owner and mode go to an extended attribute.
        has_xattrs: Extended attributes are shown and taken.
        has_acls: So are POSIX ACLs.
        static_nlink: Directories have one link.
        is_volatile: fsync(2) does nothing.
        fsname: What mount tables show as the source; empty for the usual.
        mount: Words for the mount itself.
    """

    lowerdirs: tuple[str, ...] = ()
    upperdir: str = ""
    workdir: str = ""
    uid_mapping: Lines = ()
    gid_mapping: Lines = ()
    squash_uid: int = -1
    squash_gid: int = -1
    keeps_stat_in_xattr: bool = False
    has_xattrs: bool = True
    has_acls: bool = True
    static_nlink: bool = False
    is_volatile: bool = False
    fsname: str = ""
    mount: tuple[str, ...] = ()


def parse_options(text: str) -> OverlayOptions:
    """Parse what stands behind `-o`; later options win.

    Raises:
        OptionError: An option is unknown, its value is none, or one is missing.
    """
    options = OverlayOptions()
    for word in _split(text, ","):
        options = _apply(options, word)
    _require_sense(options)
    return options


def _apply(options: OverlayOptions, word: str) -> OverlayOptions:
    name, equals, value = word.partition("=")
    if equals and name in _VALUES:
        field, parse = _VALUES[name]
        return replace(options, **{field: parse(name, value)})
    if not equals and name in _FLAGS:
        return replace(options, **_FLAGS[name])
    if _FOR_THE_MOUNT.fullmatch(word):
        return replace(options, mount=(*options.mount, word))
    if _WITHOUT_EFFECT.fullmatch(word):
        return options
    missing = name in _VALUES and not equals
    raise OptionError(f"{name} needs a value" if missing else f"unknown option {word!r}")


def _require_sense(options: OverlayOptions) -> None:
    if not options.lowerdirs:
        raise OptionError("lowerdir= is missing: what is to be shown?")
    if options.upperdir and not options.workdir:
        raise OptionError(
            "workdir= is missing: an empty folder on the same file system as the upperdir"
        )
    if options.workdir and not options.upperdir:
        raise OptionError("upperdir= is missing; without it the mount is read-only and needs none")
    squashed = options.squash_uid >= 0 or options.squash_gid >= 0
    if squashed and (options.uid_mapping or options.gid_mapping):
        raise OptionError("squash_to_* and uidmapping=, gidmapping= exclude each other")


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator that no backslash stands before; other escapes are kept."""
    parts, part, escaped = [], "", False
    for letter in text:
        if letter == separator and not escaped:
            parts.append(part)
            part = ""
            continue
        if letter == separator:
            part = part[:-1]
        part += letter
        escaped = letter == "\\" and not escaped
    return [*parts, part]


def _paths(name: str, value: str) -> tuple[str, ...]:
    paths = tuple(_unescape(path) for path in _split(value, ":"))
    if not all(paths):
        raise OptionError(f"{name} names an empty path: {value!r}")
    return paths


def _path(name: str, value: str) -> str:
    if not value:
        raise OptionError(f"{name} names an empty path")
    return _unescape(value)


def _unescape(path: str) -> str:
    return re.sub(r"\\(.)", r"\1", path)


def _mapping(name: str, value: str) -> Lines:
    numbers = value.split(":")
    if len(numbers) % 3:
        raise OptionError(f"{name} must have the form SHOWN:STORED:LENGTH[:...]: {value!r}")
    ids = [_number(name, number) for number in numbers]
    lines = tuple(zip(ids[::3], ids[1::3], ids[2::3], strict=True))
    if any(not length or max(line) + length - 1 > _ID_MAX for *line, length in lines):
        raise OptionError(f"{name} goes beyond the IDs 0 to {_ID_MAX}, or has no length: {value!r}")
    return lines


def _number(name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > _ID_MAX:
        raise OptionError(f"{name} must be a number, 0 to {_ID_MAX}: {value!r}")
    return int(value)


def _is_noted(name: str, value: str) -> bool:
    if value not in ("0", "1", "2"):
        raise OptionError(f"{name} must be 0, 1 or 2: {value!r}")
    return value != "0"


def _is_off(name: str, value: str) -> bool:
    if value not in ("0", "1"):
        raise OptionError(f"{name} must be 0 or 1: {value!r}")
    return value == "0"


def _text(_name: str, value: str) -> str:
    return value


_VALUES: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "lowerdir": ("lowerdirs", _paths),
    "upperdir": ("upperdir", _path),
    "workdir": ("workdir", _path),
    "uidmapping": ("uid_mapping", _mapping),
    "gidmapping": ("gid_mapping", _mapping),
    "squash_to_uid": ("squash_uid", _number),
    "squash_to_gid": ("squash_gid", _number),
    "xattr_permissions": ("keeps_stat_in_xattr", _is_noted),
    "fsync": ("is_volatile", _is_off),
    "noxattrs": ("has_xattrs", _is_off),
    "fsname": ("fsname", _text),
}
_FLAGS: dict[str, dict[str, Any]] = {
    "squash_to_root": {"squash_uid": 0, "squash_gid": 0},
    "noxattrs": {"has_xattrs": False},
    "noacl": {"has_acls": False},
    "static_nlink": {"static_nlink": True},
    "volatile": {"is_volatile": True},
}
