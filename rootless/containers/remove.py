"""Removing containers with their files."""

from collections.abc import Callable
from pathlib import Path

from rootless.containers.record import (
    Record,
    ids_in,
    locked,
    take_away,
    unfinished,
    upperdir_of,
)
from rootless.containers.run_folder import remove_owned_by_container, remove_run, sweep
from rootless.containers.status import look, run_folder_of
from rootless.errors import Conflict, StoreError
from rootless.image.holds import note_due
from rootless.linux.folder_lock import is_locked
from rootless.paths import Paths


def remove(paths: Paths, record: Record, end: Callable[[Record], None] | None = None) -> None:
    """Remove a container that does not run.

    Args:
        paths: Where things lie.
        record: The container.
        end: Ends it first if it runs; without it a running container is left alone.

    Raises:
        Conflict: It runs, or does not end.
        NotFound: It has been removed meanwhile.
        StoreError: Its files cannot be removed.
    """
    if not record.kept:
        _end_or_refuse(paths, record, end)
        sweep(paths)
        return
    if end is not None:
        end(record)  # also what keeps another command waiting, which then gives the lock back
    with locked(paths, record):
        _end_or_refuse(paths, record, end)
        gone = take_away(paths, record)
    remove_run(run_folder_of(paths, record.id))
    folders = [gone]
    upperdir = upperdir_of(record)
    if upperdir is not None and _is_of(upperdir, record):
        folders.append(upperdir.parent)
    _remove_folders(folders)
    note_due(paths.store)


def _end_or_refuse(paths: Paths, record: Record, end: Callable[[Record], None] | None) -> None:
    if end is not None:
        end(record)
        return
    status = look(paths, record)
    if status.is_alive:
        raise Conflict("the container is running", record.name, "stop it first, or rm --force")
    if status.may_be_alive and status.last is not None:
        raise Conflict(
            f"the container may be running on {status.last.host}",
            record.name,
            "rm it there, or rm --force",
        )
    upperdir = upperdir_of(record)
    if upperdir is not None and _is_of(upperdir, record) and is_locked(upperdir):
        raise Conflict(
            "something that is not seen from here uses the container's files",
            record.name,
            "end it where it was started, or rm --force",
        )


def _is_of(upperdir: Path, record: Record) -> bool:
    return upperdir.parent.name == record.id  # else it is the user's own


def remove_damaged(paths: Paths, word: str) -> bool:
    """Remove the one container whose ID begins so and whose record cannot be read."""
    kept = paths.store / "containers"
    folders = [kept / name for name in ids_in(kept) if word and name.startswith(word)]
    if len(folders) != 1 or is_locked(run_folder_of(paths, folders[0].name)):
        return False
    _remove_folders(folders)
    return True


def remove_unfinished(paths: Paths) -> None:
    """Remove what removals and creations that were killed have left in the store."""
    if not (paths.store / "containers").exists():
        return
    with unfinished(paths) as left:
        if left:
            remove_owned_by_container(left)


def _remove_folders(folders: list[Path]) -> None:
    there = [folder for folder in folders if folder.exists()]
    if there:
        remove_owned_by_container(there)
    left = next((folder for folder in there if folder.exists()), None)
    if left is not None:
        raise StoreError("the container's files could not be removed", str(left))
