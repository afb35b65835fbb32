"""Named containers: their folder in the store, with the upperdir that is kept for them."""

import contextlib
import fcntl
import json
import os
import re
from pathlib import Path

from rootless.containers.run_folder import remove_owned_by_container
from rootless.errors import Conflict, InvalidInput, NotFound, StoreError
from rootless.paths import Paths

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
_RECORD = "container.json"


def folder_of(paths: Paths, name: str) -> Path:
    """Return where a container of that name is kept; raises InvalidInput for a bad name."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "not a container name", name, "letters, digits, and after the first also _ . -"
        )
    return paths.store / "containers" / name


def claim(paths: Paths, name: str, chain: str, reference: str, *, replace: bool) -> Path:
    """Return the folder of a container of this image, new or as its last run left it.

    Raises:
        Conflict: It is running, or was made from another image.
    """
    folder = folder_of(paths, name)
    if replace and folder.exists():
        remove(paths, name)
    record = folder / _RECORD
    if record.exists():
        image, made_from = _read_record(record, name)
        if made_from != chain:
            raise Conflict(
                f"the container was made from another image, {image}",
                name,
                f"--replace starts afresh; 'rootless rm {name}' removes it",
            )
        return folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temp = folder / f".tmp-{os.getpid()}"
        temp.write_text(json.dumps({"image": reference, "chain": chain}), encoding="utf-8")
        temp.rename(record)
    except OSError as error:
        raise StoreError(
            f"cannot keep the container: {error.strerror}", str(error.filename)
        ) from error
    return folder


def _read_record(record: Path, name: str) -> tuple[str, str]:
    """Return the image's name and chain ID that a container was made from."""
    try:
        known = json.loads(record.read_bytes())
        return known["image"], known["chain"]
    except OSError as error:
        raise StoreError(f"cannot read: {error.strerror}", str(record)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            "the container's record is damaged",
            str(record),
            f"--replace starts afresh; 'rootless rm {name}' removes it",
        ) from error


def remove(paths: Paths, name: str) -> None:
    """Remove a container that does not run; raises NotFound or Conflict."""
    folder = folder_of(paths, name)
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound("no such container", name, _known(paths)) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_owned_by_container([folder])
    except BlockingIOError:
        raise Conflict("the container is running", name, "end it first") from None
    finally:
        os.close(fd)
    if folder.exists():
        raise StoreError("the container's files could not be removed", str(folder))


def _known(paths: Paths) -> str:
    found: list[str] = []
    with contextlib.suppress(OSError):
        found = sorted(os.listdir(paths.store / "containers"))
    return f"there are {', '.join(found[:8])}" if found else "there are none"
