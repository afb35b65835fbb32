"""What is hidden stays hidden: the mounts over it cannot be taken away from inside."""

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

_PRIVILEGED = ("--cap-add", "ALL", "--security-opt", "seccomp=unconfined")


@pytest.mark.both_users
@pytest.mark.parametrize("place", ["/proc/kcore", "/proc/sys", "/dev/null"])
def test_in_a_namespace_below(demo: Rootless, place: str) -> None:
    """A user namespace made inside gets the mounts as one that must stay (mount_namespaces(7))."""
    script = f"unshare -Ur -m umount {place} 2>&1; echo $?"
    out = demo.ok("run", *_PRIVILEGED, "debian-demo", "sh", "-c", script)
    assert "umount: " in out
    assert out.splitlines()[-1] != "0"


@pytest.mark.both_users
def test_a_fresh_proc_below(demo: Rootless) -> None:
    """Nor does a fresh /proc, which would show what the first one hides."""
    script = "unshare -Urpfm sh -c 'mount -t proc proc /mnt && echo mounted' 2>&1; ls /mnt"
    out = demo.ok("run", *_PRIVILEGED, "debian-demo", "sh", "-c", script)
    assert "mounted\n" not in out


@pytest.mark.both_users
def test_without_the_right_to_mount(demo: Rootless) -> None:
    """The container's root has no right to unmount by default."""
    script = "umount /proc/kcore 2>&1; umount /proc/sys 2>&1; true"
    out = demo.ok("run", "debian-demo", "sh", "-c", script)
    assert out.count("umount: ") == 2
