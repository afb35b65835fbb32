"""AppArmor and SELinux on this host."""

import os
from dataclasses import replace

import pytest

from rootless.errors import Precondition
from rootless.oci.linux_spec import LinuxSpec
from rootless.oci.runtime_spec import Process, Spec
from rootless.runtime import security_modules

SPEC = Spec(Process(("true",)))


def test_nothing_asked_for() -> None:
    """Without a profile or a label nothing is looked at."""
    security_modules.check(SPEC)
    security_modules.enter_profile("")


def test_label_of_the_process() -> None:
    """An SELinux label is refused with the member that asks for it."""
    process = replace(SPEC.process, selinux_label="a:b:c:d")
    with pytest.raises(Precondition, match=r"process.selinuxLabel .*: a:b:c:d \(leave"):
        security_modules.check(replace(SPEC, process=process))


def test_label_of_mounts(caplog: pytest.LogCaptureFixture) -> None:
    """It is refused where there are labels; where SELinux is off it is warned of, as by others."""
    spec = replace(SPEC, linux=LinuxSpec(mount_label="l"))
    if os.path.exists("/sys/fs/selinux/enforce"):
        with pytest.raises(Precondition, match=r"linux.mountLabel .*: l \(leave"):
            security_modules.check(spec)
    else:
        security_modules.check(spec)
        assert "linux.mountLabel has no effect: SELinux is off on this host: l" in caplog.text


def test_profile_without_apparmor() -> None:
    """Where AppArmor is off a profile is refused before anything is made, and when entered."""
    if security_modules.has_apparmor():
        pytest.skip("needs kernel without AppArmor")
    process = replace(SPEC.process, apparmor_profile="p")
    with pytest.raises(Precondition, match=r"AppArmor is off on this host: p"):
        security_modules.check(replace(SPEC, process=process))
    with pytest.raises(Precondition, match=r"cannot enter the AppArmor profile: .*: p"):
        security_modules.enter_profile("p")


def test_profile_with_apparmor() -> None:
    """Where AppArmor is on, the next program runs in the profile; `unconfined` is always there."""
    if not security_modules.has_apparmor():
        pytest.skip("needs AppArmor")
    pid = os.fork()
    if pid == 0:
        security_modules.enter_profile("unconfined")
        os.execv("/bin/grep", ["grep", "-q", "unconfined", "/proc/self/attr/current"])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
