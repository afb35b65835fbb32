"""Where a copy goes: the rules of `podman cp` and `docker cp` for both its paths.

SOURCE is a file:    onto nothing, it is made there; onto a file, it takes its place; onto a folder,
                     it goes into it. A destination with a slash at its end must be a folder.
SOURCE is a folder:  onto nothing, it becomes that; onto a folder, it goes into it, or with `/.` at
                     its end its content does; onto a file is an error.
A link at the end of a path is followed, on either side; links inside a folder are copied as links.
"""

import os
import posixpath
import stat
from collections.abc import Callable
from dataclasses import dataclass

from rootless.errors import Conflict, InvalidInput, NotFound

Open = Callable[[str, int], int]
"""Opens a path as its side resolves it: the host as anybody does, a container inside its root."""

STREAM = "-"


@dataclass(frozen=True, slots=True)
class Place:
    """One of the two words of a copy.

    Attributes:
        container: Name or ID; "" for the host.
        path: "-" of the host is the standard stream.
    """

    container: str
    path: str

    @property
    def is_stream(self) -> bool:
        """Tell whether it is a standard stream, with a tar in it."""
        return not self.container and self.path == STREAM


@dataclass(frozen=True, slots=True)
class Source:
    """What is copied.

    Attributes:
        name: What it is called where it goes into a folder; "" for no name of its own.
        is_folder: It is one.
        contents_only: What is in it is meant.
    """

    name: str
    is_folder: bool
    contents_only: bool


@dataclass(frozen=True, slots=True)
class Target:
    """Where that goes.

    Attributes:
        folder: A path that its side opens: the folder that it comes to lie in.
        name: Its name there; "." where it is merged into the folder itself.
        file_fd: An existing file that is written to, open as a place; -1 for none.
    """

    folder: str
    name: str
    file_fd: int = -1


def parse_place(text: str) -> Place:
    """Return what `[CONTAINER:]PATH` means; a host's path with a colon begins with . or /."""
    name, colon, path = text.partition(":")
    if not colon or not name or text.startswith((".", "/")) or "/" in name:
        if not text:
            raise InvalidInput("an empty path")
        return Place("", text)
    if not path:
        raise InvalidInput("no path in the container", text, "CONTAINER:PATH")
    return Place(name, path)


def source_of(path: str, mode: int) -> Source:
    """Return what is copied from a path, which leads to an object of this mode.

    Raises:
        InvalidInput: The path says that it is a folder.
    """
    is_folder = stat.S_ISDIR(mode)
    if not is_folder and path.endswith(("/", "/.")):
        raise InvalidInput("not a folder", path)
    name = posixpath.basename(posixpath.normpath(path))
    has_name = name not in ("", ".", "..", "/")
    contents_only = is_folder and (path in (".", "..") or path.endswith(("/.", "/..")))
    return Source(name if has_name else "", is_folder, contents_only or not has_name)


def open_source(open_: Open, path: str) -> int:
    """Open what is to be copied, as a place; raises NotFound."""
    try:
        return open_(path, os.O_PATH)
    except OSError as error:
        raise _not_there(path, error) from error


def target_of(open_: Open, path: str, source: Source) -> Target:
    """Return where a copy to a path goes; the caller closes `file_fd`.

    Raises:
        NotFound: The folder for it is not there.
        Conflict: A file is where a folder must be.
    """
    try:
        fd = open_(path, os.O_PATH)
    except FileNotFoundError as error:
        return _new(open_, path, source, error)
    except OSError as error:
        raise _not_there(path, error) from error
    mode = os.fstat(fd).st_mode
    if stat.S_ISDIR(mode):
        os.close(fd)
        return Target(path, "." if source.contents_only else source.name)
    if stat.S_ISREG(mode) and not source.is_folder and not path.endswith("/"):
        return Target(_folder_of(path), posixpath.basename(path), fd)
    os.close(fd)
    if source.is_folder:
        raise Conflict("a folder cannot be copied onto a file", path)
    raise Conflict("neither a file nor a folder", path)


def _new(open_: Open, path: str, source: Source, error: OSError) -> Target:
    """Return where something goes whose name is free."""
    if path.endswith("/") and not source.is_folder:
        raise NotFound("no such folder", path, "make it first, or leave the / away") from error
    bare = path.rstrip("/")
    name, folder = posixpath.basename(bare), _folder_of(bare)
    if name in ("", ".", ".."):
        raise _not_there(path, error) from error
    try:
        folder_fd = open_(folder, os.O_PATH | os.O_DIRECTORY)
    except OSError as missing:
        raise _not_there(folder, missing) from missing
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return Target(folder, name)
    finally:
        os.close(folder_fd)
    raise Conflict("a link to nothing is in the way", path, "remove it first") from error


def _folder_of(path: str) -> str:
    return posixpath.dirname(path) or ("/" if path.startswith("/") else ".")


def _not_there(path: str, error: OSError) -> NotFound:
    return NotFound("cannot be opened", f"{path}: {(error.strerror or str(error)).lower()}")
