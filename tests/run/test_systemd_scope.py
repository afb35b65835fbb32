"""Scopes of a real service manager of the user's, started for the test in its own part of the tree.

The manager needs no systemd as PID 1: it is satisfied by a folder that says so, in a mount
namespace where /run is empty and /sys/fs/cgroup is the cgroup v2 tree.
"""

import os
import subprocess
import sys
from pathlib import Path

import leaks
import pytest
from ordinary_user import ordinary_user

pytestmark = pytest.mark.needs_root

_AS_ROOT = """
set -eu
tree=/sys/fs/cgroup/rootless-test-$$
clean_up() {
    echo $$ > /sys/fs/cgroup/cgroup.procs
    echo 1 > $tree/cgroup.kill || true
    while ! find $tree -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.1; done
}
mount -t tmpfs none /run
mkdir -p /run/systemd/system
install -d -m 700 -o "$USER" /run/user/own
umount -R /sys/fs/cgroup || true
mount -t cgroup2 none /sys/fs/cgroup
mkdir $tree $tree/user
trap clean_up EXIT
chown -R "$USER" $tree
echo $$ > $tree/user/cgroup.procs
runuser -u "$USER" -- env XDG_RUNTIME_DIR=/run/user/own sh -eu -c "$1" sh "$2" "$3"
"""

_AS_USER = """
dbus-daemon --session --fork --nopidfile --address=unix:path=$XDG_RUNTIME_DIR/bus
export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
/lib/systemd/systemd --user --log-target=null &
for i in $(seq 100); do
    busctl --user status org.freedesktop.systemd1 >/dev/null 2>&1 && break
    sleep 0.1
done
exec "$1" -P -c "$2"
"""

_BODY = """
import os, signal, time
from rootless.errors import Conflict
from rootless.oci.linux_spec import LinuxSpec
from rootless.runtime import cgroups

spec = LinuxSpec(cgroups_path="user.slice:rootless:abc")
cgroup = cgroups.prepare(spec, "id", systemd=True, strict=True)
assert cgroup is not None
assert cgroup.path.parts[-3:] == ("user.slice", "rootless-abc.scope", "container"), cgroup.path
(waiting,) = cgroup.pids()

try:
    cgroups.prepare(spec, "id", systemd=True, strict=True)
except Conflict as error:
    assert "the scope's name is taken" in str(error)
else:
    raise AssertionError

pid = os.fork()
if pid == 0:
    signal.pause()
cgroup.add(pid)
signal.alarm(40)  # instead of a test that hangs
while cgroup.pids() != (pid,):  # the one that held the place ends by itself
    time.sleep(0.01)
again = cgroups.open_cgroup(str(cgroup.path))
again.freeze()
again.thaw()
again.kill()
assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
again.remove()
while cgroup.path.parent.exists():  # systemd takes the scope away
    time.sleep(0.01)
print("done")
"""


def test_a_life() -> None:
    """A scope is made, holds the container's process, and goes; one name is given once."""
    user = ordinary_user()
    environ = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "USER": user.pw_name,
        "HOME": user.pw_dir,
        "LANG": "C.UTF-8",
        leaks.SESSION_VARIABLE: os.environ[leaks.SESSION_VARIABLE],
    }
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", _AS_ROOT, "sh", _AS_USER, sys.executable, _BODY],
        env=environ,
        cwd=Path("/"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["done"], done.stdout + done.stderr
