"""A merged image as a plain folder: mounted by an ordinary user, into his own mount namespace.

The mount is made by fusermount3, which is set-user-ID root for that, and shows to its user only.
The server lives as long as the mount: nobody has to stop it.
"""

import errno
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fuse.server_config import ServerConfig
from rootless.errors import Conflict, InvalidInput, NotFound, OverlayError, Precondition
from rootless.overlay.serve import start_detached, start_server

_FUSERMOUNT = "fusermount3"
_FILE_SYSTEM = "fuse.rootless"


def mount_folder(
    tree: Path,
    layers: Sequence[Path],
    folder: Path,
    *,
    name: str,
    log: Path,
    foreground: bool,
    fetcher_fd: int = -1,
) -> None:
    """Mount a tree at an empty folder.

    Args:
        tree: The merged tree's file.
        layers: The layers' tars or chunk tables, lowest first.
        folder: An empty directory.
        name: What mount tables show.
        log: Where the server's warnings go.
        foreground: Return when the mount has ended; Ctrl-C ends it. Else return when it is there.
        fetcher_fd: Socket to what fetches the missing parts of lazy layers; -1 for none.

    Raises:
        Precondition: fusermount3 is missing.
        NotFound, InvalidInput, Conflict: The folder cannot be mounted on.
        OverlayError: The server could not mount.
    """
    _require_fusermount()
    _require_empty(folder)
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = ServerConfig(
        mountpoint=os.path.realpath(folder),
        tree=str(tree),
        layers=tuple(str(layer) for layer in layers),
        fetcher_fd=fetcher_fd,
        allow_other=False,
        default_permissions=False,  # one user looks into an image: he may read what is 0600
        use_fusermount=True,
        fsname=name,
        log_path=str(log),
    )
    if not foreground:
        start_detached(config)
        return
    server = start_server(config)
    try:
        status = server.process.wait()
    finally:
        server.stop()
    if status != 0:
        text = signal.Signals(-status).name if status < 0 else f"status {status}"
        raise OverlayError("the FUSE server ended", text, server.last_words())


def unmount_folder(folder: Path, *, lazy: bool = False) -> None:
    """Take a mount away, a dead one too; its server ends by itself.

    Args:
        folder: Where it is.
        lazy: Take it out of sight now, and away when nobody is in it any more.

    Raises:
        Precondition: fusermount3 is missing.
        NotFound: No mount of `rootless mount` is there.
        Conflict: It is in use.
        OverlayError: It cannot be unmounted.
    """
    target = os.path.realpath(folder)
    kind = _mounted_kind(target)
    if kind != _FILE_SYSTEM:
        what = "nothing is mounted there" if not kind else f"a {kind} is mounted there"
        raise NotFound(what, str(folder), "only what `rootless mount` mounted is unmounted")
    _require_fusermount()
    done = subprocess.run(
        [_FUSERMOUNT, "-u", *(["-z"] if lazy else []), "--", target],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    said = done.stderr.strip().removeprefix("fusermount3: ")
    if "busy" in said:
        raise Conflict(
            "the folder is in use",
            str(folder),
            "leave it (cd) and close its files, or: rootless umount --lazy",
        )
    raise OverlayError("cannot unmount", said or str(folder))


def _require_fusermount() -> None:
    if os.geteuid() != 0 and shutil.which(_FUSERMOUNT) is None:
        raise Precondition(
            f"{_FUSERMOUNT} is not installed",
            fix="as root: apt-get install fuse3",
            check="fusermount",
        )


def _require_empty(folder: Path) -> None:
    """Raise unless the folder is there, empty, and without a mount of ours."""
    path = str(folder)
    unmount = f"rootless umount {path}"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        raise NotFound("no such directory", path, f"make it first: mkdir {path}") from None
    except NotADirectoryError:
        raise InvalidInput("not a directory", path) from None
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise
        raise Conflict("the server of a mount there has died", path, unmount) from None
    if _mounted_kind(os.path.realpath(folder)) == _FILE_SYSTEM:
        raise Conflict("an image is mounted there", path, unmount)
    if names:
        raise Conflict("the directory is not empty", path, "a mount would hide what is in it")


def _mounted_kind(target: str, table: str = "/proc/self/mountinfo") -> str:
    """Return the file-system type of the topmost mount at a path, "" for none (proc(5))."""
    kind = ""
    # of all that ends a line elsewhere, the kernel escapes the newline only
    with open(table, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for line in lines:
            place, _, source = line.partition(" - ")
            if _unescape(place.split(" ")[4]) == target:
                kind = source.split(" ")[0]
    return kind


def _unescape(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)
