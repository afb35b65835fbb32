"""What a plan was made of: if none of it has changed, the plan holds for who asks the same again.

Noted while a plan is made: the variables that were read, whether the directory counted, and every
file that was opened (sys.addaudithook) or looked at, with what tells a change of it.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from rootless.linux import mount_table

_READ_OTHERWISE = (  # by the C library, or only looked at
    *("/etc/passwd", "/etc/group", "/etc/subuid", "/etc/subgid"),
    *("/etc/hosts", "/etc/resolv.conf", "/etc/rootless/config.toml"),
)
_NOT_FILES = ("/proc/", "/dev/", "/sys/")
_REPLACED = ("environ", "getcwd", "stat", "lstat", "readlink")
_OF_THE_CALL = ("_",)  # a shell names the program there: it says nothing of the caller

_Sign = tuple[int, ...] | None


class Evidence:
    """The evidence of one plan; taken from `begin` to `end`."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._environ: dict[str, str] = request["environ"]
        self._umask: int = request["umask"]
        self._words: list[str] = request["words"]
        self._read: set[str] = set()
        self._has_read_all = False
        self._uses_cwd = False
        self._cwd = _sign(".")
        self._paths: set[str] = set(_READ_OTHERWISE)
        self._links: set[str] = set()
        self._signs: dict[str, _Sign] = {}
        self._link_signs: dict[str, _Sign] = {}
        self._host = os.uname().nodename
        # of the host's namespace from now on, wherever this process goes
        self._mounts_fd = os.open(mount_table.MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
        self._mounts = b""
        self._is_open = False
        self._command: list[str] = []

    def begin(self) -> None:
        """Note what is looked at from now on, in this process, for good."""
        self._is_open = True
        self._before = {name: getattr(os, name) for name in _REPLACED}
        os.environ = _Noted(self._environ, self)  # type: ignore[assignment]  # noqa: B003
        own = os.getcwd

        def getcwd() -> str:
            self._uses_cwd = True
            return own()

        os.getcwd = getcwd
        os.stat = self._noting(os.stat, self._paths)
        os.lstat = self._noting(os.lstat, self._links)
        os.readlink = self._noting(os.readlink, self._links)
        sys.addaudithook(self._hear)

    def end(self, command: Iterable[str], also: Iterable[str], *, has_volumes: bool) -> None:
        """Note no more.

        Args:
            command: What the container was asked to run: another one is the same plan.
            also: Files that have to stay as they are.
            has_volumes: So have the host's mounts.
        """
        self._mounts = self._read_mounts() if has_volumes else b""
        self._is_open = False
        self._command = list(command)
        self._paths.update(also)
        self._signs = {path: _sign(path) for path in self._paths}
        self._link_signs = {path: _sign(path, follow=False) for path in self._links}

    def forget(self) -> None:
        """Let this process be as it was before, but for the hook, which notes no more."""
        for name, value in self._before.items():
            setattr(os, name, value)
        os.close(self._mounts_fd)

    def command_of(self, request: Mapping[str, Any], cwd: _Sign) -> list[str] | None:
        """Return what is to run where the plan is that of a request; None where it is not."""
        words, own = request["words"], self._words
        at = len(own) - len(self._command)
        command: list[str] = words[at:]
        holds = (
            bool(self._command) == bool(command)
            and words[:at] == own[:at]
            and request["umask"] == self._umask
            and self._same_environment(request["environ"])
            and (not self._uses_cwd or cwd == self._cwd)
            and os.uname().nodename == self._host
            and all(_sign(path) == sign for path, sign in self._signs.items())
            and all(_sign(path, follow=False) == sign for path, sign in self._link_signs.items())
            and (not self._mounts or self._read_mounts() == self._mounts)
        )
        return command if holds else None

    def note(self, name: str | None) -> None:
        """Note that a variable was read, or all were."""
        if self._is_open:
            if name is None:
                self._has_read_all = True
            else:
                self._read.add(name)

    def _same_environment(self, environ: dict[str, str]) -> bool:
        if self._has_read_all:
            return _without_call(environ) == _without_call(self._environ)
        return all(environ.get(name) == self._environ.get(name) for name in self._read)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_open and event in ("open", "sqlite3.connect") and arguments:
            path = arguments[0]
            if isinstance(path, str | bytes | os.PathLike):
                text = os.fsdecode(path).removeprefix("file:").partition("?")[0]  # as SQLite has it
                self._note_path(text, self._paths)

    def _noting(self, function: Callable[..., Any], noted: set[str]) -> Callable[..., Any]:
        """Return a function of `os` that looks at a path, and notes which."""

        def look(path: Any, *arguments: Any, **more: Any) -> Any:
            if self._is_open and not isinstance(path, int) and more.get("dir_fd") is None:
                follows = more.get("follow_symlinks", True)
                self._note_path(os.fsdecode(path), noted if follows else self._links)
            return function(path, *arguments, **more)

        return look

    def _note_path(self, path: str, noted: set[str]) -> None:
        if not path.startswith(_NOT_FILES):
            self._uses_cwd = self._uses_cwd or not path.startswith("/")
            noted.add(path)

    def _read_mounts(self) -> bytes:
        return mount_table.read_from(self._mounts_fd)


class _Noted(MutableMapping[str, str]):
    """An environment whose readers are noted."""

    def __init__(self, environ: dict[str, str], evidence: Evidence) -> None:
        self._environ = dict(environ)
        self._evidence = evidence

    def __getitem__(self, name: str) -> str:
        self._evidence.note(name)
        return self._environ[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._environ[name] = value

    def __delitem__(self, name: str) -> None:
        del self._environ[name]

    def __iter__(self) -> Iterator[str]:
        self._evidence.note(None)
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)

    def copy(self) -> dict[str, str]:
        """Return all of it."""
        self._evidence.note(None)
        return dict(self._environ)


def sign_of(fd: int) -> _Sign:
    """Return what tells one directory from another."""
    return _of(os.fstat(fd))


def _without_call(environ: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in _OF_THE_CALL}


def _sign(path: str, *, follow: bool = True) -> _Sign:
    try:
        return _of(os.stat(path, follow_symlinks=follow))
    except OSError:
        return None


def _of(found: os.stat_result) -> _Sign:
    if stat.S_ISDIR(found.st_mode):
        return (found.st_dev, found.st_ino)
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
