"""`--volume`, `--mount` and `--tmpfs` as mounts of a spec; pure but for the caller's folder."""

import os
import posixpath

from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Mount

_BIND_OPTIONS = frozenset(
    (
        *("ro", "rw", "rro", "bind", "rbind"),
        *("private", "rprivate", "shared", "rshared", "slave", "rslave"),
        *("nosuid", "suid", "nodev", "dev", "noexec", "exec"),
        *("z", "Z"),  # SELinux relabelling, which needs privilege; accepted for compatibility
    )
)


def parse_volume(text: str, folder: str) -> Mount:
    """Parse SOURCE:DESTINATION[:OPTIONS]; a relative source is below `folder`."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts[:2]):
        raise InvalidInput(
            "a volume must have the form SOURCE:DESTINATION[:OPTIONS]",
            text,
            "for memory that goes with the container use --tmpfs",
        )
    source, destination = parts[:2]
    if "/" not in source and source not in (".", "..", "~"):
        raise InvalidInput(
            "named volumes are not supported", text, f"for a folder of yours say ./{source}"
        )
    options = tuple(filter(None, parts[2].split(","))) if len(parts) == 3 else ()
    return _bind(source, destination, options, folder, text)


def _bind(source: str, destination: str, options: tuple[str, ...], folder: str, text: str) -> Mount:
    unknown = [option for option in options if option not in _BIND_OPTIONS]
    if unknown:
        raise InvalidInput(f"unknown volume option {unknown[0]!r}", text)
    path = os.path.normpath(os.path.join(folder, os.path.expanduser(source)))
    kind = () if {"bind", "rbind"} & set(options) else ("rbind",)
    spread = (
        () if any(o.endswith(("private", "shared", "slave")) for o in options) else ("rprivate",)
    )
    return Mount(_destination(destination, text), "bind", path, (*kind, *spread, *options))


def _destination(path: str, text: str) -> str:
    if not path.startswith("/"):
        raise InvalidInput("the destination must be an absolute path", text)
    normal = posixpath.normpath(f"/{path.lstrip('/')}")  # POSIX lets two slashes be another root
    if normal == "/":
        raise InvalidInput("the destination must not be the root", text)
    return normal


def parse_tmpfs(text: str) -> Mount:
    """Parse DESTINATION[:OPTIONS], options as mount(8) has them for tmpfs.

    It starts with what the image has there, the mode included, but with `notmpcopyup`; else it
    is empty and everybody's, as tmpfs(5) makes it.
    """
    destination, _, rest = text.partition(":")
    return _tmpfs(destination, tuple(filter(None, rest.split(","))), text)


def _tmpfs(destination: str, options: tuple[str, ...], text: str) -> Mount:
    copy_up = () if "notmpcopyup" in options else ("tmpcopyup",)
    options = tuple(o for o in options if o not in ("notmpcopyup", "tmpcopyup"))
    return Mount(
        _destination(destination, text),
        "tmpfs",
        "tmpfs",
        ("nosuid", "nodev", *copy_up, *options),
    )


def parse_mount(text: str, folder: str) -> Mount:
    """Parse `type=bind,source=…,destination=…` as `podman run --mount` has it."""
    values: dict[str, str] = {}
    for item in filter(None, text.split(",")):
        name, _, value = item.partition("=")
        values[{"src": "source", "dst": "destination", "target": "destination"}.get(name, name)] = (
            value
        )
    kind = values.pop("type", "bind")
    destination = values.pop("destination", "")
    if not destination:
        raise InvalidInput("a mount needs a destination", text, "add destination=/PATH")
    if kind == "bind":
        source = values.pop("source", "")
        if not source:
            raise InvalidInput("a bind mount needs a source", text, "add source=PATH")
        return _bind(source, destination, tuple(_bind_options(values, text)), folder, text)
    if kind == "tmpfs":
        return _tmpfs(destination, tuple(_tmpfs_options(values, text)), text)
    raise InvalidInput("unknown mount type", kind, "one of bind, tmpfs")


def _bind_options(values: dict[str, str], text: str) -> list[str]:
    options = []
    for name, value in values.items():
        if name in ("ro", "readonly", "rw"):
            options.append("ro" if _truth(value, text) == (name != "rw") else "rw")
        elif name == "bind-propagation":
            options.append(value)
        elif name == "consistency":  # docker's, of machines that are not Linux
            continue
        elif name == "bind-nonrecursive":
            options.append("bind")
        elif name in _BIND_OPTIONS:
            options.append(name)
        else:
            raise InvalidInput(f"unknown mount option {name!r}", text)
    return options


def _truth(value: str, text: str) -> bool:
    """Return what a switch says; alone it is on. A typing error must not make a volume writable."""
    if value.lower() not in ("", "true", "1", "false", "0"):
        raise InvalidInput(f"{value!r} is neither true nor false", text)
    return value.lower() in ("", "true", "1")


def _tmpfs_options(values: dict[str, str], text: str) -> list[str]:
    options = []
    for name, value in values.items():
        if name in ("tmpfs-size", "size"):
            options.append(f"size={value}")
        elif name in ("tmpfs-mode", "mode"):
            options.append(f"mode={value}")
        elif name in ("ro", "readonly"):
            options.append("ro" if _truth(value, text) else "rw")
        elif name in _BIND_OPTIONS or name in ("tmpcopyup", "notmpcopyup"):
            options.append(name)
        else:
            raise InvalidInput(f"unknown mount option {name!r}", text)
    return options
