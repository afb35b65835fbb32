"""Who started the container, as the host knows him: passwd(5), group(5) and his environment."""

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass

from rootless.errors import NotFound


def umask() -> int:
    """Return this process's file mode mask."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def current_folder() -> str:
    """Return this process's working directory; raises NotFound where that was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise NotFound("the current folder was removed", "", "go to another one") from None


@dataclass(frozen=True, slots=True)
class HostUser:
    """The caller.

    Attributes:
        uid: UID.
        gid: Primary GID.
        name: His name, `userN` where passwd has none.
        group: The group's name, `groupN` where group has none.
        home: `$HOME` where that is an absolute path, else passwd's; "/" where neither says.
    """

    uid: int
    gid: int
    name: str
    group: str
    home: str

    @classmethod
    def current(cls, environ: Mapping[str, str] | None = None) -> "HostUser":
        """Look the caller up."""
        env = os.environ if environ is None else environ
        uid, gid = os.getuid(), os.getgid()
        name, home = f"user{uid}", "/"
        try:
            line = pwd.getpwuid(uid)
            name, home = line.pw_name, line.pw_dir
        except KeyError:
            pass
        try:
            group = grp.getgrgid(gid).gr_name
        except KeyError:
            group = f"group{gid}"
        given = env.get("HOME", "")
        return cls(uid, gid, name, group, given if given.startswith("/") else home)
