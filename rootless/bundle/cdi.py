"""CDI devices: found in the folders of specification files, and turned into edits.

Of the hooks that vendors' tools write, what they are for is done here, as their programs want to be
root's: `update-ldcache` makes libraries known to the loader, `create-symlinks` gives a file more
names. Another one is named in a warning and left out.
"""

import logging
import os
import posixpath
from collections.abc import Iterable, Sequence

from rootless.bundle.device_edits import DeviceEdits, merged
from rootless.bundle.elf_soname import soname
from rootless.errors import InvalidInput, NotFound
from rootless.oci.cdi_spec import MAX_BYTES, CdiSpec, ContainerEdits, parse_cdi, split
from rootless.oci.runtime_spec import Mount
from rootless.settings import Settings

log = logging.getLogger(__name__)

FOLDERS = ("/etc/cdi", "/var/run/cdi")
_ENDINGS = (".json", ".yaml", ".yml")
_LDCACHE, _SYMLINKS = "update-ldcache", "create-symlinks"
_NO_USE = ("chmod", "disable-device-node-modification", "enable-cuda-compat")


def read_folders(folders: Sequence[str] = FOLDERS) -> list[list[CdiSpec]]:
    """Return the files' contents, by folder; one that cannot be read is named in a warning."""
    found = []
    for folder in folders:
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(_ENDINGS))
        except OSError:
            names = []
        found.append([spec for name in names if (spec := _read(f"{folder}/{name}")) is not None])
    return found


def of_host(settings: Settings) -> list[list[CdiSpec]]:
    """Return the contents of the files in the folders that the settings name, or in the usual."""
    folders = settings.cdi_folders
    return read_folders(FOLDERS if folders is None else [str(path) for path in folders])


def _read(path: str) -> CdiSpec | None:
    try:
        with open(path, "rb") as file:
            return parse_cdi(file.read(MAX_BYTES + 1), path)
    except (OSError, InvalidInput) as error:
        log.warning("left out: %s", error)
        return None


def names_of(kind: str, specs: Sequence[Sequence[CdiSpec]]) -> list[str]:
    """Return the names of a kind's devices, in the order of the files."""
    return [n for folder in specs for spec in folder if spec.kind == kind for n in spec.devices]


def edits_of(devices: Iterable[str], specs: Sequence[Sequence[CdiSpec]]) -> DeviceEdits:
    """Return what some devices bring, `vendor.com/class=name` each.

    Raises:
        NotFound: There is no such device.
        InvalidInput: Two files of one folder have it.
    """
    chosen: dict[int, tuple[CdiSpec, list[ContainerEdits]]] = {}
    for device in dict.fromkeys(devices):
        spec, edits = _find(device, specs)
        chosen.setdefault(id(spec), (spec, []))[1].append(edits)
    found = []
    for spec, several in chosen.values():
        found.append(_applied([spec.edits, *several]))
    return merged(found)


def _find(device: str, specs: Sequence[Sequence[CdiSpec]]) -> tuple[CdiSpec, ContainerEdits]:
    """The later folder wins; within one nobody does."""
    kind, name = split(device)
    for folder in reversed(specs):
        having = [spec for spec in folder if spec.kind == kind and name in spec.devices]
        if len(having) > 1:
            raise InvalidInput("two CDI specifications have the device", device)
        if having:
            return having[0], having[0].devices[name]
    known = ", ".join(f"{kind}={each}" for each in names_of(kind, specs)[:8])
    fix = f"there are {known}" if known else f"no file in {', '.join(FOLDERS)} has the kind {kind}"
    raise NotFound("no such CDI device", device, fix)


def _applied(several: Sequence[ContainerEdits]) -> DeviceEdits:
    mounts = {mount.destination: mount for edits in several for mount in edits.mounts}
    folders: list[str] = []
    links: list[tuple[str, str]] = []
    for point, hook in (each for edits in several for each in edits.hooks):
        words = hook.args or (hook.path,)
        if _LDCACHE in words:
            folders += _values(words, "--folder")
        elif _SYMLINKS in words:
            pairs = (text.partition("::") for text in _values(words, "--link"))
            links += [(target, link) for target, _, link in pairs if link]
        elif not set(_NO_USE) & set(words):
            log.warning("a CDI hook is not run: %s %s", point, " ".join(words))
    for target, link in links:
        mount = mounts.get(posixpath.normpath(posixpath.join(posixpath.dirname(link), target)))
        if mount is not None and link not in mounts:
            mounts[link] = Mount(link, "bind", mount.source, mount.options)
    nodes = ((node.host_path, node.path) for edits in several for node in edits.nodes)
    return DeviceEdits(
        nodes=tuple(nodes),
        mounts=tuple(mounts.values()),
        env=tuple(item for edits in several for item in edits.env if "=" in item),
        libraries=tuple(_libraries(mounts.values(), folders)),
    )


def _values(words: Sequence[str], option: str) -> list[str]:
    """Return the values of an option that may be there often, `--x v` or `--x=v`."""
    found = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    found += [words[i + 1] for i, word in enumerate(words[:-1]) if word == option]
    return [part for value in found for part in value.split(",") if part]


def _libraries(mounts: Iterable[Mount], folders: Sequence[str]) -> Iterable[tuple[str, str]]:
    for mount in mounts:
        if posixpath.dirname(mount.destination) in folders:
            name = soname(mount.source)
            if name:
                yield name, mount.destination
