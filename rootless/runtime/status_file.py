"""What a runtime keeps of a container: a folder with its record, its spec and its gate.

ROOT/ID/state.json    the record, written at once by rename; without a process while it is created
ROOT/ID/config.json   the spec as it was read: the bundle may change afterwards (runtime.md)
ROOT/ID/gate          the socket at which a created container waits (`runtime.gate`)

The folder's lock (flock(2)) is held by every verb that changes the container: of two at once one
waits, and then finds what the other has done.
"""

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from rootless.errors import Conflict, InvalidInput, NotFound, StoreError
from rootless.linux.pidfd import open_process, start_time
from rootless.linux.remove_tree import remove_tree
from rootless.oci import timestamp
from rootless.oci.runtime_spec import Spec, parse_spec
from rootless.oci.state import State, Status
from rootless.runtime import gate

_ID = re.compile(r"[A-Za-z0-9_+.-]{1,1024}")
_RECORD, _SPEC = "state.json", "config.json"
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a container.

    Attributes:
        pid: Its process; 0 until there is one.
        started: When that process started (`linux.pidfd.start_time`).
        bundle: Absolute path.
        created: RFC 3339, UTC.
        owner: The UID of who made it.
        cgroup: Absolute path of its cgroup; "" where it has none.
    """

    id: str
    bundle: str
    created: str
    owner: int
    pid: int = 0
    started: int = 0
    cgroup: str = ""
    annotations: dict[str, str] = field(default_factory=dict)


class StateFolder:
    """The open folder of one container; a context manager that closes it."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd
        self._is_locked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, which gives up its lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    @classmethod
    def make(cls, root: Path, container_id: str, bundle: Path, spec: bytes) -> "StateFolder":
        """Make the folder of a new container and lock it; raises Conflict where there is one."""
        check_id(container_id)
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = cls._claim(root / container_id)
        except FileExistsError as error:
            raise StoreError("cannot keep the state: not a folder", str(root)) from error
        except OSError as error:
            raise StoreError(
                f"cannot keep the state: {error.strerror}",
                str(error.filename),
                "name another folder with --root",
            ) from error
        try:
            folder.write_spec(spec)
            created = timestamp.to_text(time.time())
            folder.write(Record(container_id, str(bundle), created, os.getuid()))
        except BaseException:
            folder.remove()
            raise
        return folder

    @classmethod
    def _claim(cls, path: Path) -> "StateFolder":
        """Make and lock the folder; one that a killed `create` or `delete` has left is removed."""
        while True:
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=0o700)
            if (path / _RECORD).exists():
                raise Conflict(
                    "there is a container of that ID already", path.name, "delete it first"
                )
            with contextlib.suppress(FileNotFoundError):
                folder = cls(path, os.open(path, _FLAGS))
                if folder._lock() and not (path / _RECORD).exists():
                    if not os.listdir(folder.fd):
                        return folder
                    folder.remove()
                folder.close()

    @classmethod
    def open(cls, root: Path, container_id: str, *, lock: bool = False) -> "StateFolder":
        """Open the folder of a container; raises NotFound. With `lock`, wait for other verbs."""
        check_id(container_id)
        path = root / container_id
        while True:
            try:
                folder = cls(path, os.open(path, _FLAGS))
            except FileNotFoundError:
                raise NotFound("no such container", container_id) from None
            except OSError as error:
                raise StoreError(f"cannot read the state: {error.strerror}", str(path)) from error
            if not lock:
                return folder
            if not folder._lock():
                folder.close()
            elif (path / _RECORD).exists():
                return folder
            else:
                folder.remove()

    def _lock(self) -> bool:
        """Wait for the lock; False where the folder has been removed, or replaced, meanwhile."""
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        self._is_locked = True
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.stat(self.path), os.fstat(self.fd))
        return False

    def unlock(self) -> None:
        """Let other verbs go on, while this one still reads."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)
        self._is_locked = False

    def record(self) -> Record:
        """Read the record; raises StoreError where it is damaged."""
        try:
            return Record(**json.loads(self._read(_RECORD)))
        except (ValueError, TypeError) as error:
            raise StoreError(
                "the state of the container is damaged",
                str(self.path / _RECORD),
                "'delete --force' removes it",
            ) from error

    def spec(self) -> Spec:
        """Return the spec that the container was created from."""
        return parse_spec(self._read(_SPEC), str(self.path / _SPEC))

    def write_spec(self, text: bytes) -> None:
        """Keep the spec as it was read."""
        self._write(_SPEC, text)

    def write(self, record: Record) -> None:
        """Keep a record in the place of the one before."""
        self._write(_RECORD, json.dumps(asdict(record)).encode())

    def set_process(self, pid: int, annotations: Mapping[str, str], *, cgroup: str = "") -> Record:
        """Keep which process the container is, and what its spec says of it."""
        started = start_time(pid)
        if started is None:
            raise StoreError("the container's process ended while it was created", str(pid))
        record = replace(
            self.record(),
            pid=pid,
            started=started,
            cgroup=cgroup,
            annotations=dict(annotations),
        )
        self.write(record)
        return record

    def status(self, record: Record) -> Status:
        """Return where the container is in its life."""
        if not record.pid:
            return Status.CREATING if self._is_locked_by_another() else Status.STOPPED
        if start_time(record.pid) != record.started:
            return Status.STOPPED
        return Status.CREATED if gate.is_waiting(self.fd) else Status.RUNNING

    def state(self, record: Record | None = None) -> State:
        """Return the state as the specification has it, of the record that was read."""
        record = record or self.record()
        status = self.status(record)
        pid = 0 if status is Status.STOPPED else record.pid
        return State(record.id, status, pid, record.bundle, record.annotations)

    def open_process(self) -> int | None:
        """Return a pidfd of the container's process, the caller's to close; None: it has ended."""
        record = self.record()
        return open_process(record.pid, record.started) if record.pid else None

    def remove(self) -> None:
        """Remove the folder and close it."""
        # The record goes first: who waits for the lock then knows.
        (self.path / _RECORD).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            remove_tree(self.path)
        self.close()

    def _is_locked_by_another(self) -> bool:
        if self._is_locked:
            return False
        fd = os.open(self.path, _FLAGS)  # another open file: its lock is not this one's
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def _read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            raise NotFound("no such container", self.path.name) from None
        except OSError as error:
            raise StoreError(f"cannot read the state: {error.strerror}", str(self.path)) from error

    def _write(self, name: str, data: bytes) -> None:
        temp = self.path / f".tmp-{name}"
        try:
            temp.write_bytes(data)
            temp.rename(self.path / name)
        except OSError as error:
            raise StoreError(f"cannot keep the state: {error.strerror}", str(temp)) from error


def check_id(container_id: str) -> None:
    """Raise InvalidInput for what cannot be an ID: it is a file name."""
    if not _ID.fullmatch(container_id) or container_id in (".", ".."):
        raise InvalidInput(
            "not a container ID", container_id, "letters, digits and _ + - . make one"
        )


def all_folders(root: Path) -> Iterator[StateFolder]:
    """Yield the folders of all containers, sorted by ID; each is closed after its turn."""
    with contextlib.suppress(FileNotFoundError):
        for name in sorted(os.listdir(root)):
            with contextlib.suppress(NotFound, InvalidInput), StateFolder.open(root, name) as found:
                yield found
