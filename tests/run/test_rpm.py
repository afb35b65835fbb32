"""rpm where only one ID is mapped: it gives files away, and sets capabilities and modes."""

import subprocess
from pathlib import Path

import host_image
import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.both_users]

_SPEC = """
Name: gift
Version: 1
Release: 1
Summary: Files of others
License: none
BuildArch: noarch
%description
Files of others.
%install
mkdir -p %{buildroot}/opt/gift
for name in mail caps plain; do echo $name >%{buildroot}/opt/gift/$name; done
%pre
chown daemon /etc/group
%files
%attr(2755, daemon, mail) %dir /opt/gift
%attr(4750, bin, mail) /opt/gift/mail
%caps(cap_net_raw=p) /opt/gift/caps
/opt/gift/plain
"""
_PROGRAMS = ("/bin/sh", "/usr/bin/rpm", "/bin/chown", "/bin/cat", "/bin/stat", "/bin/mkdir")


def build(folder: Path) -> Path:
    """Build the package."""
    (folder / "gift.spec").write_text(_SPEC)
    words = ["rpmbuild", "-bb", "--quiet", f"--define=_topdir {folder}/top", folder / "gift.spec"]
    subprocess.run(words, check=True, capture_output=True)
    (package,) = (folder / "top" / "RPMS").rglob("*.rpm")
    return package


def test_a_package_with_files_of_others(rootless: Rootless, tmp_path: Path) -> None:
    """It installs, is known, and is removed."""
    package = build(tmp_path)
    folders = ("/usr/lib/rpm", f"{host_image.LIBRARIES}/rpm-plugins")
    there = [folder for folder in folders if Path(folder).is_dir()]
    host_image.write_tar(tmp_path / "rpm.tar", _PROGRAMS, there)
    rootless.ok("import", tmp_path / "rpm.tar", "rpm")
    script = (
        "set -e; rpm -i --nodeps /p/gift.rpm; cat /opt/gift/mail; "
        "stat -c %a:%u /opt/gift/mail; rpm -q gift; rpm -e --nodeps gift; cat /opt/gift/mail"
    )
    options = ("--userns", "single", "-v", f"{package}:/p/gift.rpm:ro")
    ran = rootless("run", *options, "rpm", "sh", "-c", script)
    assert ran.stdout == "mail\n4750:0\ngift-1-1.noarch\n", ran.stderr
    assert ran.stderr.endswith("cat: /opt/gift/mail: No such file or directory\n")
    assert ran.status == 1
