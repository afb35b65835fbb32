"""What root has set up, used by an ordinary user: part of a test in a process of his."""

import os
import pickle
import pwd
import traceback
from collections.abc import Callable

from rootless.linux.prctl import set_dumpable

NAMES = ("rootless-test", "nobody")
"""Who it is: the user that contrib/bootstrap makes, with sub-IDs; else one that is always there."""


def ordinary_user() -> pwd.struct_passwd:
    """Return the first of those users."""
    known = {each.pw_name: each for each in pwd.getpwall()}
    return next(known[name] for name in NAMES if name in known)


def as_ordinary_user(body: Callable[[], None]) -> None:
    """Run a function in a child process of that user; its failure is the test's."""
    user = ordinary_user()
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = b""
        try:
            os.close(read_fd)
            _become(user)
            body()
        except BaseException:  # noqa: BLE001 - carried over to the test's process
            said = pickle.dumps(traceback.format_exc())
        with open(write_fd, "wb") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(write_fd)
    with open(read_fd, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    if said:
        raise AssertionError(pickle.loads(said))


def _become(user: pwd.struct_passwd) -> None:
    os.setgroups([user.pw_gid])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    set_dumpable(True)  # else /proc/self stays root's, and no ID map can be written
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)
