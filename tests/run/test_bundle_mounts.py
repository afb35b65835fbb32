"""Mounts of a bundle, with the options of runtime-spec config.md, "Linux mount options"."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from demo_bundle import DemoBundle
from executable import Home, Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def options_of(text: str, destination: str) -> list[str]:
    """Return the mount's own options and tags, then the file system's, out of mountinfo(5)."""
    rows = [row.split() for row in text.splitlines() if " - " in row]
    line = next(row for row in reversed(rows) if row[4] == destination)
    dash = line.index("-")
    return [*line[5].split(","), *line[6:dash], *line[dash + 3].split(",")]


@pytest.fixture
def nested(demo_bundle: DemoBundle) -> DemoBundle:
    """A bundle with a mount on /a, another on /a/b, and a file in each."""
    rootfs = demo_bundle.folder / "tree"
    (rootfs / "b").mkdir(parents=True)
    (rootfs / "file").write_text("a\n")
    demo_bundle.add_mount("/a", "bind", type="bind", source=str(rootfs))
    demo_bundle.add_mount("/a/b", "mode=1777")
    return demo_bundle


@pytest.mark.both_users
@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["ro", "nosuid", "nodev", "noexec"], {"ro", "nosuid", "nodev", "noexec"}),
        (["noatime", "nodiratime"], {"noatime", "nodiratime"}),
        (["nosymfollow"], {"nosymfollow"}),
        (["sync", "dirsync"], {"sync", "dirsync"}),
        (["size=1m", "mode=700", "nr_inodes=9"], {"size=1024k", "mode=700", "nr_inodes=9"}),
        (["shared"], {"shared:"}),
        (["unbindable"], {"unbindable"}),
        (["rro", "rnosuid", "rnodev", "rnoexec"], {"ro", "nosuid", "nodev", "noexec"}),
        (["rnoatime", "rnosymfollow"], {"noatime", "nosymfollow"}),
        (["ro", "rrw"], {"rw"}),
        (["iversion", "silent", "relatime", "lazytime"], {"relatime"}),
    ],
)
def test_new_file_system(demo_bundle: DemoBundle, words: list[str], seen: set[str]) -> None:
    """Flags, propagation and recursive forms are the mount's; other words the file system's."""
    demo_bundle.add_mount("/new", *words)
    found = options_of(demo_bundle.ok("cat /proc/self/mountinfo"), "/new")
    for word in seen:
        assert any(option.startswith(word) for option in found), found


@pytest.mark.both_users
@pytest.mark.parametrize(
    ("words", "here", "below"),
    [
        (["ro"], {"ro"}, {"rw"}),
        (["rro"], {"ro"}, {"ro"}),
        (["rnosuid", "rnodev", "rnoexec"], {"nosuid", "nodev"}, {"nosuid", "nodev", "noexec"}),
        (["rnosymfollow"], {"nosymfollow"}, {"nosymfollow"}),
        (["nosymfollow"], {"nosymfollow"}, set()),
        (["rshared"], {"shared:"}, {"shared:"}),
        (["shared"], {"shared:"}, set()),
    ],
)
def test_recursive_forms(
    plain: DemoBundle, words: list[str], here: set[str], below: set[str]
) -> None:
    """A recursive word reaches the mounts below, one without r the mount alone."""
    plain.add_mount("/c", "rbind", *words, type="none", source="rootfs/a")
    text = plain.ok("cat /proc/self/mountinfo")
    for path, seen, unseen in (("/c", here, set()), ("/c/b", below, here - below - {"ro"})):
        found = options_of(text, path)
        assert all(any(option.startswith(word) for option in found) for word in seen), found
        assert not any(option.startswith(word) for option in found for word in unseen), found


PROGRAMS = "/bin/sh /bin/cat /bin/stat /bin/touch"
PACK = f"tar --dereference -cf /out/root.tar $(ldd {PROGRAMS} | grep -o '/lib[^ ]*') {PROGRAMS}"


@pytest.fixture(scope="module")
def root_tar(demo_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar of a root file system with a few programs of the demo image."""
    folder = tmp_path_factory.mktemp("root")
    demo = Rootless(demo_home)
    options = ("--userns", "single", "-v", f"{folder}:/out")
    demo.ok("run", *options, "debian-demo", "sh", "-c", f"{PACK} 2>/dev/null")
    return folder / "root.tar"


@pytest.fixture
def plain(nested: DemoBundle, root_tar: Path) -> DemoBundle:
    """The same bundle with a folder of files: its mounts then have a path on the host."""
    subprocess.run(["tar", "-C", nested.folder / "rootfs", "-xf", root_tar], check=True)
    nested.change(lambda spec: spec["annotations"].pop("org.rootless.image"))
    nested.process(args=["/bin/sh"])
    return nested


@pytest.mark.both_users
def test_copy_up(demo_bundle: DemoBundle) -> None:
    """tmpcopyup: a tmpfs begins with what the image has there, and may then be read-only."""
    demo_bundle.add_mount("/etc/apt", "tmpcopyup", "ro")
    out = demo_bundle.ok("ls /etc/apt; touch /etc/apt/new 2>&1 || true; ls -d /etc/apt/new || true")
    assert "apt.conf.d" in out.split()
    assert "Read-only file system" in out


def map_owners(bundle: DemoBundle, *options: str) -> None:
    """Mount a tmpfs on /owned, and again on /mapped, where 5:6 is the caller."""
    bundle.linux(uidMappings=[], gidMappings=[])
    bundle.add_mount("/owned", *options)
    bundle.add_mount(
        "/mapped",
        *("bind", "idmap"),
        type="none",
        source="rootfs/owned",
        uidMappings=[{"containerID": 5, "hostID": os.getuid(), "size": 1}],
        gidMappings=[{"containerID": 6, "hostID": os.getgid(), "size": 1}],
    )


@pytest.mark.needs_subid
def test_mapped_owners(plain: DemoBundle) -> None:
    """Of a mount with uidMappings: files of 5:6 are the caller's there, old ones and new ones."""
    map_owners(plain, "uid=5", "gid=6", "mode=700")
    script = "stat -c %u:%g /owned /mapped; > /mapped/new; stat -c %u:%g /mapped/new /owned/new"
    assert plain.ok(script).split() == ["5:6", "0:0", "0:0", "5:6"]


@pytest.mark.both_users
def test_owners_that_are_not_mapped(plain: DemoBundle) -> None:
    """Who is not in the mount's maps shows as nobody, and his files cannot be changed there."""
    map_owners(plain, "mode=777")
    result = plain("stat -c %u:%g /owned /mapped; > /mapped/new")
    assert result.stdout.split() == ["0:0", "65534:65534"]
    assert "cannot create /mapped/new" in result.stderr


def test_owners_of_the_hosts_files_cannot_be_mapped(nested: DemoBundle) -> None:
    """Without root the kernel refuses it for a file system of the host: the error says so."""
    maps = [{"containerID": 0, "hostID": os.getuid(), "size": 1}]
    gids = [{"containerID": 0, "hostID": os.getgid(), "size": 1}]
    source = str(nested.folder / "tree")
    nested.add_mount("/m", "rbind", type="none", source=source, uidMappings=maps, gidMappings=gids)
    result = nested()
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "cannot map the owners of a mount: Operation not permitted" in result.stderr
    assert f"{source} on /m (without root this works for file systems that" in result.stderr


@pytest.mark.parametrize(
    ("mount", "says"),
    [
        ({"options": ["idmap"]}, "only a bind mount can be ID-mapped: /m"),
        ({"options": ["size=x"]}, "cannot mount tmpfs with options size=x: Invalid argument: /m"),
        ({"type": "ext9"}, "cannot mount ext9 with options none: No such device: /m"),
        ({"type": ""}, "cannot mount a file system without a type with options none"),
        ({"options": ["bind"], "source": "/none"}, "the source of a volume does not exist: /none"),
    ],
)
def test_what_is_refused(demo_bundle: DemoBundle, mount: dict[str, Any], says: str) -> None:
    """One line names the mount and what the kernel said."""
    words = mount.pop("options", [])
    demo_bundle.add_mount("/m", *words, **mount)
    result = demo_bundle("echo ran")
    assert (result.status, result.stdout, result.stderr.count("\n")) == (125, "", 1)
    assert says in result.stderr


def test_a_word_that_a_bind_mount_has_not(nested: DemoBundle) -> None:
    """It is warned of: the kernel would not even look at it."""
    nested.add_mount("/m", "bind", "size=1m", type="none", source=str(nested.folder / "tree"))
    result = nested("cat /m/file")
    assert result.stdout == "a\n"
    assert "/m: a bind mount has no option size=1m" in result.stderr


@pytest.mark.both_users
def test_a_source_below_the_bundle(nested: DemoBundle) -> None:
    """config.md: a bind mount's source is relative to the bundle."""
    nested.add_mount("/m", "bind", type="none", source="tree")
    assert nested.ok("cat /m/file") == "a\n"


@pytest.mark.both_users
def test_without_namespaces_of_its_own(demo_bundle: DemoBundle) -> None:
    """Where network, IPC and cgroups are the host's, /sys is too, and read-only."""
    demo_bundle.linux(namespaces=[{"type": "mount"}, {"type": "pid"}])
    result = demo_bundle("ls /sys/kernel; touch /sys/x 2>&1; ls -d /sys/fs/cgroup")
    assert result.status == 0, result.stderr
    assert "mm" in result.stdout.split()
    assert "Read-only file system" in result.stdout


@pytest.mark.both_users
def test_cgroups_of_the_host_are_read_only(demo_bundle: DemoBundle) -> None:
    """A cgroup mount shows what this host has; version 1 read-only."""
    text = demo_bundle.ok("cat /proc/self/mountinfo; ls /sys/fs/cgroup >&2")
    found = options_of(text, "/sys/fs/cgroup")
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(found)


def test_terminal_group_that_is_not_mapped(demo_bundle: DemoBundle) -> None:
    """devpts: gid=5 is dropped in a map of one ID, and terminals work."""
    demo_bundle.linux(uidMappings=[], gidMappings=[])
    demo_bundle.process(terminal=True)
    result = demo_bundle("test -t 0 && grep -c gid=5 /proc/mounts", "--userns", "single")
    assert result.stdout.split() == ["0"]
