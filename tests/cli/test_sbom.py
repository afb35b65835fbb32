"""`rootless sbom`, the real executable, beside what the package managers themselves say."""

import json
import os
import subprocess
from pathlib import Path

import images
import pytest
import rpm_database
from executable import Rootless

SPEC = """Name: tool
Version: 1.2
Release: 3
Epoch: 4
Summary: A tool
License: MIT
BuildArch: noarch
%description
A tool.
%files
"""


@pytest.mark.needs_fuse
@pytest.mark.needs_user
def test_debian(demo_own: Rootless) -> None:
    """The packages and versions are those that dpkg tells inside."""
    query = r"dpkg-query -W -f '${Package} ${Version} ${Architecture}\n'"
    inside = demo_own.ok("run", "--rm", "debian-demo", "sh", "-c", query).splitlines()
    shown = json.loads(demo_own.ok("sbom", "-o", "json", "debian-demo"))
    listed = [each for each in shown["packages"] if each["kind"] == "deb"]
    ours = [f"{each['name']} {each['version']} {each['architecture']}" for each in listed]
    assert sorted(ours) == sorted(inside)
    assert shown["distribution"]["id"] == "debian"
    table = demo_own.ok("sbom", "debian-demo").splitlines()
    assert table[0].split() == ["NAME", "VERSION", "TYPE", "ARCH"]
    assert len(table) == len(shown["packages"]) + 1


def test_a_berkeley_db_of_others(rootless: Rootless, tmp_path: Path) -> None:
    """A hash database that Berkeley DB's own tool wrote, with values longer than its pages."""
    tags: dict[int, str | int] = {rpm_database.VERSION: "1", rpm_database.RELEASE: "2"}
    headers = [
        rpm_database.header({rpm_database.NAME: f"old{i}", **tags, 5000: "x" * 3000 * i})
        for i in range(4)
    ]
    blobs = [b"\0\0\0\7", *headers]
    lines = [f" {number:08x}\n {blob.hex()}" for number, blob in enumerate(blobs)]
    dump = "\n".join(["VERSION=3", "format=bytevalue", "type=hash", "HEADER=END", *lines])
    words = ["db5.3_load", tmp_path / "Packages"]
    text = f"{dump}\nDATA=END\n"
    subprocess.run(words, input=text, text=True, check=True, timeout=60)
    layer = images.LayerBuilder()
    layer.file("var/lib/rpm/Packages", (tmp_path / "Packages").read_bytes())
    rootless.ok("load", "-q", images.docker_archive(tmp_path / "a.tar", [layer], names=["pic"]))
    shown = json.loads(rootless.ok("sbom", "-o", "json", "pic"))
    assert [each["name"] for each in shown["packages"]] == ["old0", "old1", "old2", "old3"]
    assert {each["version"] for each in shown["packages"]} == {"1-2"}


def test_rpm_s_own_database(rootless: Rootless, tmp_path: Path) -> None:
    """A database that rpm wrote is read, and the documents go into files."""
    (tmp_path / "tool.spec").write_text(SPEC)
    top, place = f"_topdir {tmp_path}/top", tmp_path / "rpm"
    words = ["rpmbuild", "-bb", "--quiet", "--define", top, tmp_path / "tool.spec"]
    environ = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run(words, check=True, capture_output=True, env=environ)
    (package,) = (tmp_path / "top" / "RPMS" / "noarch").iterdir()
    words = ["rpm", "--dbpath", place, "--define", "_db_backend sqlite"]
    words += ["-i", "--justdb", "--nodeps", package]
    subprocess.run(words, check=True, capture_output=True, env=environ)
    layer = images.LayerBuilder().file("etc/os-release", b"ID=fedora\nVERSION_ID=42\n")
    layer.file("usr/lib/sysimage/rpm/rpmdb.sqlite", (place / "rpmdb.sqlite").read_bytes())
    archive = images.docker_archive(tmp_path / "a.tar", [layer], names=["pic"])
    rootless.ok("load", "-q", archive)
    url = "pkg:rpm/fedora/tool@1.2-3?arch=noarch&distro=fedora-42&epoch=4"
    file = tmp_path / "sbom.json"
    assert rootless.ok("sbom", f"--output=cyclonedx-json={file}", "pic") == ""
    (component,) = json.loads(file.read_text())["components"]
    assert (component["purl"], component["version"]) == (url, "4:1.2-3")
    document = json.loads(rootless.ok("sbom", "--format", "spdx-json", "pic"))
    (reference,) = document["packages"][1]["externalRefs"]
    assert reference["referenceLocator"] == url
    said = rootless("sbom", "-o", "xml", "pic")
    assert (said.status, said.stderr.count("\n")) == (125, 1)
    said = rootless("sbom", "-o", "json=/nosuch/file", "pic")
    assert (said.status, said.stderr.count("\n")) == (125, 1)
