"""What of the caller's a command finds where it lies: his folders, at the same paths.

A folder that would hide the image's own system is not among them: who stands in /etc stands in the
image's.
"""

import os
import posixpath
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from rootless.bundle.caller import HostUser
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Mount

HOME, CWD, TMP, SSH_AGENT, GIT_CONFIG = "home", "cwd", "tmp", "ssh-agent", "git-config"
KINDS = (HOME, CWD, TMP, SSH_AGENT, GIT_CONFIG)
USUAL = (HOME, CWD, TMP)
AGENT_VARIABLE = "SSH_AUTH_SOCK"

_BIND = ("rbind", "rslave")  # what is mounted on the host later is seen as well
_TMP = "/tmp"  # noqa: S108 - the caller's own, by that name
_GIT_FILES = (".gitconfig", ".config/git")

# With all that is below: an image has its own of these, and does not work without.
_SYSTEM = frozenset(
    (
        *("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32"),
        *("proc", "run", "sbin", "sys", "usr"),
    )
)
# These themselves; what is below may be anything.
_HOLDERS = frozenset(("/", "/home", "/mnt", "/media", "/opt", "/srv", "/var", "/var/lib"))


def parse(words: Iterable[str]) -> tuple[str, ...]:
    """Return what `--share` names, `USUAL` where it names nothing; raises InvalidInput.

    Args:
        words: Its values, each a list with commas; `none` is nothing.
    """
    named = [kind for word in words for kind in word.split(",")]
    if named == ["none"]:
        return ()
    for kind in named:
        if kind not in KINDS:
            raise InvalidInput("nothing of that name can be shared", kind, f"one of {_known()}")
    return tuple(dict.fromkeys(named)) or USUAL


def _known() -> str:
    return ", ".join((*KINDS, "none"))


def mounts(
    kinds: Iterable[str], user: HostUser, cwd: str, environ: Mapping[str, str]
) -> tuple[Mount, ...]:
    """Return the binds; a home that is not shared is an empty one, in memory.

    Args:
        kinds: What is shared.
        user: The caller.
        cwd: His working directory, without symbolic links.
        environ: His environment.
    """
    kinds = tuple(kinds)
    shared: dict[str, tuple[str, tuple[str, ...]]] = {}
    if HOME in kinds:
        for path in (user.home, os.path.realpath(user.home)):
            _add(shared, path)
    if CWD in kinds:
        _add(shared, cwd)
    if TMP in kinds:
        _add(shared, _TMP)
        if environ.get("TMPDIR", "").startswith("/"):
            _add(shared, environ["TMPDIR"])
    if SSH_AGENT in kinds and environ.get(AGENT_VARIABLE, "").startswith("/"):
        _add(shared, environ[AGENT_VARIABLE], anywhere=True)
    if GIT_CONFIG in kinds:
        for name in _GIT_FILES:
            _add(shared, posixpath.join(user.home, name), "ro")
    binds = [Mount(path, "bind", path, (*_BIND, *more)) for path, more in shared.values()]
    if HOME not in kinds and user.home not in shared and may_be_bound(user.home):
        binds.append(Mount(user.home, "tmpfs", "tmpfs", ("nosuid", "nodev", "mode=700")))
    return tuple(binds)


def may_be_bound(path: str) -> bool:
    """Tell whether a folder of the host may lie over the image's of that name."""
    parts = PurePosixPath(path).parts
    return path not in _HOLDERS and not (len(parts) > 1 and parts[1] in _SYSTEM)


def _add(
    shared: dict[str, tuple[str, tuple[str, ...]]],
    path: str,
    *options: str,
    anywhere: bool = False,
) -> None:
    """Add a path that is there and not below one that is shared already."""
    path = posixpath.normpath(path)
    covered = any(f"{path}/".startswith(f"{other}/") for other in shared)
    if not covered and (anywhere or may_be_bound(path)) and os.path.exists(path):
        shared[path] = (path, options)
