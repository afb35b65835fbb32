"""What is kept of a container: one folder for each, and how a user's word leads to it.

A container that outlives its run is kept in the store, `containers/ID/`:

    container.json  the record: its names, what it runs, the rules it lives by
    config.json     its spec once more, as the runtime specification has it: for other tools
    overlay/        its upperdir, unless the store's file system cannot hold one
    last-run.json   how its last run began and ended (`status`)
    needs           what the store must not collect while the container is there
    log, log.1 …    what it said (`logs`)

One that goes with its run, in the foreground and without a name, has its record in the run's
folder. Every change is made under a lock of the folder, and each file appears whole by rename(2).
"""

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.plain import from_document, to_document
from rootless.containers.policy import Policy
from rootless.errors import Conflict, InvalidInput, NotFound, StoreError
from rootless.image.store_errors import store_error
from rootless.oci.runtime_spec import format_spec
from rootless.paths import Paths

_ID = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
_RECORD, _SPEC, NEEDS = "container.json", "config.json", "needs"
_GOING = ".going-"
_PATIENCE_S = 30.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """The image that a container was made from; all empty for a bundle.

    Attributes:
        name: What it was called then.
        config_digest: The image ID.
        manifest_digest: Of the manifest in the store.
        chain: The chain ID of its layers.
    """

    name: str = ""
    config_digest: str = ""
    manifest_digest: str = ""
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A container, run or not.

    Attributes:
        id: 64 hexadecimal digits.
        name: Unique among this user's containers.
        created: RFC 3339 time.
        container: What to run, all decisions made.
        image: What it was made from.
        labels: The image's and the user's.
        policy: The rules that it lives by.
        kept: It is in the store; else it goes with its run.
    """

    id: str
    name: str
    created: str
    container: Container
    image: MadeFrom = field(default_factory=MadeFrom)
    labels: dict[str, str] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    kept: bool = True


def check_name(name: str) -> str:
    """Return a container's name; raises InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "not a container name", name, "letters, digits, and after the first also _ . -"
        )
    return name


def folder_of(paths: Paths, record: Record) -> Path:
    """Return the folder that holds a container's record."""
    return _kept(paths, record.id) if record.kept else paths.runtime / "runs" / record.id


def upperdir_of(record: Record) -> Path | None:
    """Return the folder with the `upper` and `work` that a container keeps; None for no such."""
    root = record.container.root
    return root.kept if isinstance(root, OverlayRoot) else None


def all_records(paths: Paths) -> list[Record]:
    """Return all containers, oldest first; one that is damaged is left out."""
    found = {}
    for folder in (paths.runtime / "runs", paths.store / "containers"):  # the store's word counts
        for container_id in ids_in(folder):
            with contextlib.suppress(NotFound, StoreError, InvalidInput):
                record = read(folder / container_id)
                found[record.id] = record
    return sorted(found.values(), key=lambda record: record.created)


def find(paths: Paths, text: str) -> Record:
    """Return the container that a user means: by name, by ID, by the beginning of an ID.

    Raises:
        NotFound: There is none; those that are there are named.
        InvalidInput: Several IDs begin so.
        StoreError: Its record is damaged.
    """
    if _ID.fullmatch(text):
        for folder in (_kept(paths, text), paths.runtime / "runs" / text):
            with contextlib.suppress(NotFound):
                return read(folder)
    known = all_records(paths)
    named = [record for record in known if record.name == text]
    if named:
        return named[0]
    begun = [record for record in known if text and record.id.startswith(text)]
    if not begun and text:
        for container_id in ids_in(paths.store / "containers"):
            if container_id.startswith(text):
                return read(_kept(paths, container_id))  # tells what is wrong with it
    if len(begun) > 1:
        raise InvalidInput("several containers have an ID that begins so", text, "give more of it")
    if not begun:
        raise NotFound("no such container", text, _known(known))
    return begun[0]


def find_named(paths: Paths, name: str) -> Record | None:
    """Return the container of a name, None where the name is free."""
    return next((record for record in all_records(paths) if record.name == name), None)


def create(paths: Paths, record: Record, needs: tuple[str, ...] = ()) -> Path:
    """Keep a new container; return its folder.

    Args:
        paths: Where things lie.
        record: The container; its name must be free.
        needs: Paths below the store that must stay as long as the container does.

    Raises:
        Conflict: The name is in use.
        StoreError: The store cannot be written.
    """
    check_name(record.name)
    folder = _kept(paths, record.id)
    with _explained(folder), _all_locked(paths):
        holder = find_named(paths, record.name)
        if holder is not None:
            raise _in_use(holder)
        folder.mkdir(mode=0o700)
        _write(folder / NEEDS, needs_text(needs).decode())
        write(folder, record)  # last: a folder without a record is nobody's
    return folder


def needs_text(needs: tuple[str, ...]) -> bytes:
    """Return the file that tells a collection what a container needs (`image.holds`)."""
    return "".join(f"{line}\n" for line in needs).encode()


def rename(paths: Paths, record: Record, name: str) -> Record:
    """Give a container another name; raises InvalidInput, Conflict."""
    check_name(name)
    with _explained(folder_of(paths, record)), _all_locked(paths), locked(paths, record):
        holder = find_named(paths, name)
        if holder is not None:
            raise _in_use(holder)
        renamed = replace(read(folder_of(paths, record)), name=name)
        write(folder_of(paths, record), renamed)
    return renamed


def write(folder: Path, record: Record) -> None:
    """Write record and spec into the folder of a container, each whole or not at all.

    An upperdir in the folder is named by its path from there, so that a store can be moved.
    """
    _write(folder / _SPEC, format_spec(record.container.spec), durable=record.kept)
    kept = upperdir_of(record)
    if kept is not None and kept.is_relative_to(folder):
        record = _with_upperdir(record, kept.relative_to(folder))
    _write(folder / _RECORD, json.dumps(to_document(record)), durable=record.kept)


def read(folder: Path) -> Record:
    """Read the record of a container; raises NotFound where there is none, StoreError."""
    try:
        record = from_document(Record, json.loads((folder / _RECORD).read_bytes()))
        kept = upperdir_of(record)
        return record if kept is None else _with_upperdir(record, folder / kept)
    except FileNotFoundError:
        raise NotFound("no such container", folder.name) from None
    except OSError as error:
        raise StoreError(f"cannot read: {error.strerror}", str(folder / _RECORD)) from error
    except (ValueError, InvalidInput) as error:
        raise StoreError(
            "the container's record is damaged",
            str(folder / _RECORD),
            f"'rootless rm -f {folder.name[:12]}' removes it",
        ) from error


def _with_upperdir(record: Record, kept: Path) -> Record:
    root = record.container.root
    if isinstance(root, OverlayRoot):
        return replace(record, container=replace(record.container, root=replace(root, kept=kept)))
    return record


@contextlib.contextmanager
def locked(paths: Paths, record: Record) -> Iterator[None]:
    """Hold a container's record against other changes; raises NotFound, Conflict."""
    folder = folder_of(paths, record)
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound("no such container", record.name) from None
    try:
        _lock(fd, record.name)
        if not (folder / _RECORD).exists():  # removed while we waited
            raise NotFound("no such container", record.name)
        yield
    finally:
        os.close(fd)


def take_away(paths: Paths, record: Record) -> Path:
    """Make a container unknown, under its lock; return the folder that is to be removed."""
    folder = folder_of(paths, record)
    gone = folder.with_name(f"{_GOING}{record.id}")
    with _explained(folder):
        folder.rename(gone)
    return gone


@contextlib.contextmanager
def unfinished(paths: Paths) -> Iterator[list[Path]]:
    """Give what killed creations and removals left in the store; nothing is made meanwhile."""
    folder = paths.store / "containers"
    with _explained(folder), _all_locked(paths):
        names = os.listdir(folder)
        going = [folder / name for name in names if name.startswith(_GOING)]
        bare = [folder / name for name in names if _ID.fullmatch(name)]
        yield [*going, *(path for path in bare if not (path / _RECORD).exists())]


def _kept(paths: Paths, container_id: str) -> Path:
    return paths.store / "containers" / container_id


def ids_in(folder: Path) -> list[str]:
    """Return the names in a folder that are containers' IDs; none where it cannot be read."""
    try:
        return [name for name in os.listdir(folder) if _ID.fullmatch(name)]
    except OSError:
        return []


def _known(records: list[Record]) -> str:
    names = sorted(record.name for record in records)
    return f"there are {', '.join(names[:8])}" if names else "there are none"


def _in_use(holder: Record) -> Conflict:
    return Conflict(
        "the name is in use by another container",
        holder.name,
        f"'rootless rm {holder.name}' removes it, --replace on run and create too",
    )


@contextlib.contextmanager
def _all_locked(paths: Paths) -> Iterator[None]:
    """Hold the folder of all containers: names are unique."""
    folder = paths.store / "containers"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(fd, str(folder))
        yield
    finally:
        os.close(fd)


def _lock(fd: int, on: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Conflict("another command is changing the container", on) from None
            time.sleep(_POLL_S)


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = store_error(error, folder)
        raise StoreError(f"cannot keep the container: {why.what}", why.on, why.fix) from error


def _write(path: Path, text: str, *, durable: bool = True) -> None:
    temp = path.with_name(f".tmp-{path.name}-{os.getpid()}")
    with open(temp, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    temp.rename(path)
