"""Who one is inside, and whose the files are."""

import os
import pwd
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

ME = os.getuid()


def maps(text: str) -> list[tuple[int, ...]]:
    """Return the lines of a uid_map."""
    return [tuple(map(int, line.split())) for line in text.splitlines()]


def sub_ids(path: str) -> tuple[int, int]:
    """Return the caller's first range."""
    lines = (line.split(":") for line in Path(path).read_text().splitlines())
    name = pwd.getpwuid(ME).pw_name
    return next((int(first), int(count)) for user, first, count in lines if user == name)


def test_root_inside_is_the_caller_outside(
    demo: Rootless, folder: Path, id_map_options: tuple[str, ...], driver: str
) -> None:
    """The default user is root; what he writes into a folder of the caller's is the caller's."""
    options = (*id_map_options, "--overlay-driver", driver, "-v", f"{folder}:/f")
    script = "id -u; id -un; stat -c %u:%g /f /f/file; touch /f/new"
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", script)
    assert out.split() == ["0", "root", "0:0", "0:0"]
    assert (folder / "new").stat().st_uid == ME
    assert (folder / "new").stat().st_gid == os.getgid()


@pytest.mark.needs_subid
def test_default_map(demo: Rootless) -> None:
    """0 is the caller, 1 and up are his sub-IDs."""
    first, count = sub_ids("/etc/subuid")
    out = demo.ok("run", "debian-demo", "cat", "/proc/self/uid_map")
    assert maps(out) == [(0, ME, 1), (1, first, count)]


@pytest.mark.both_users
def test_single_map(demo: Rootless) -> None:
    """--userns single maps one ID, that of --user."""
    options = ("run", "--userns", "single")
    out = demo.ok(*options, "debian-demo", "cat", "/proc/self/uid_map")
    assert maps(out) == [(0, ME, 1)]
    out = demo.ok(*options, "--user", "7:8", "debian-demo", "sh", "-c", "id -u; id -g")
    assert out.split() == ["7", "8"]


@pytest.mark.both_users
def test_keep_id(demo: Rootless, folder: Path) -> None:
    """--userns keep-id: the caller's own IDs and name inside, his files are his."""
    script = "id -u; id -g; id -un; id -gn; stat -c %u /f/file; touch /f/new; echo $HOME"
    volume = ("-v", f"{folder}:/f")
    out = demo.ok("run", "--userns", "keep-id", *volume, "debian-demo", "sh", "-c", script)
    name = pwd.getpwuid(ME).pw_name
    assert out.split() == [str(ME), str(os.getgid()), name, name, str(ME), "/"]
    assert (folder / "new").stat().st_uid == ME


@pytest.mark.both_users
def test_keep_id_of_a_home_that_is_mounted(demo: Rootless, folder: Path) -> None:
    """HOME is the caller's own where a mount brings it along."""
    home = pwd.getpwuid(ME).pw_dir
    options = ("--userns", "keep-id", "-v", f"{folder}:{home}")
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", "echo $HOME; ls ~")
    assert out.split() == [home, "file"]


@pytest.mark.both_users
def test_keep_id_under_another_id(demo: Rootless, folder: Path) -> None:
    """keep-id:uid=,gid= maps the caller to those."""
    options = ("--userns", "keep-id:uid=200,gid=210", "-v", f"{folder}:/f")
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", "id -u; id -g; stat -c %u /f")
    assert out.split() == ["200", "210", "200"]


@pytest.mark.needs_subid
def test_keep_id_and_root(demo: Rootless) -> None:
    """keep-id with --user root runs as root, which is a sub-ID then."""
    first, _ = sub_ids("/etc/subuid")
    options = ("--userns", "keep-id", "--user", "root")
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", "id -u; cat /proc/self/uid_map")
    number, _, lines = out.partition("\n")
    assert number == "0"
    assert maps(lines)[0] == (0, first, ME)


@pytest.mark.needs_subid
def test_explicit_maps(demo: Rootless) -> None:
    """--uidmap counts in the caller's IDs, as rootless podman's: 0 is he, 1 his first sub-ID."""
    first, _ = sub_ids("/etc/subuid")
    options = ("--uidmap", "0:1:1000", "--uidmap", "1000:0:1", "--uidmap", "1001:1001:1000")
    out = demo.ok("run", *options, "debian-demo", "cat", "/proc/self/uid_map")
    assert maps(out) == [(0, first, 1000), (1000, ME, 1), (1001, first + 1000, 1000)]
    options = ("--uidmap", f"0:@{ME}:1", "--gidmap", "0:0:1", "--gidmap", "1:1:10")
    out = demo.ok("run", *options, "debian-demo", "cat", "/proc/self/uid_map")
    assert maps(out) == [(0, ME, 1)]


@pytest.mark.both_users
def test_maps_of_what_one_has_not(demo: Rootless) -> None:
    """A map of IDs that are not the caller's is refused in one line."""
    result = demo("run", "--uidmap", "0:0:1", "--uidmap", "1:@0:1", "debian-demo", "true")
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "--uidmap asks for IDs that you may not map: 1:@0:1" in result.stderr


@pytest.mark.both_users
@pytest.mark.parametrize(
    ("user", "ids"),
    [
        ("nobody", "65534 65534 nobody /nonexistent"),
        ("daemon", "1 1 daemon /usr/sbin"),
        ("1", "1 1 daemon /usr/sbin"),
        ("daemon:games", "1 60 daemon /usr/sbin"),
        ("1234", "1234 0 1234 /"),
        ("1234:5", "1234 5 1234 /"),
    ],
)
def test_user(demo: Rootless, user: str, ids: str) -> None:
    """--user takes names of the image or numbers, with a group or without."""
    script = 'echo $(id -u) $(id -g) $(id -un) "$HOME"'
    assert demo.ok("run", "--user", user, "debian-demo", "sh", "-c", script) == f"{ids}\n"


@pytest.mark.parametrize("user", ["nobodyatall", "root:nogroupatall"])
def test_user_unknown(demo: Rootless, user: str) -> None:
    """A name that the image does not know is one line, and says what to do."""
    result = demo("run", "--user", user, "debian-demo", "true")
    assert result.status == 125
    assert result.stderr.endswith(f"{user.rpartition(':')[2]} (give a number)\n")


@pytest.mark.needs_subid
def test_more_groups(demo: Rootless) -> None:
    """--group-add adds groups of the image by name or number; none of the caller's are there."""
    options = ("--group-add", "games", "--group-add", "1234", "--user", "daemon")
    out = demo.ok("run", *options, "debian-demo", "id", "-G")
    assert sorted(out.split()) == ["1", "1234", "60"]
    assert demo.ok("run", "debian-demo", "id", "-G") == "0\n"


@pytest.mark.both_users
def test_keep_groups(demo: Rootless) -> None:
    """--group-add keep-groups leaves the caller's groups in force."""
    out = demo.ok(
        "run", "--group-add", "keep-groups", "debian-demo", "grep", "^Groups", "/proc/self/status"
    )
    assert len(out.split()) - 1 == len(os.getgroups())


@pytest.mark.needs_subid
def test_other_users_inside(demo: Rootless, folder: Path, driver: str) -> None:
    """With sub-IDs su and chown work, and another user's file is a sub-ID's outside."""
    folder.chmod(0o777)
    script = (
        "su -s /bin/sh nobody -c 'id -un; touch /f/his';"
        "chown 5:6 /f/file; stat -c %u:%g /f/file; rm -r /f/his; chown 0:0 /f/file"
    )
    options = ("--overlay-driver", driver, "-v", f"{folder}:/f")
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", script)
    assert out.split() == ["nobody", "5:6"]


@pytest.mark.both_users
def test_umask_and_limits(demo: Rootless) -> None:
    """--umask and --ulimit are the workload's; the mask is 0022 without."""
    script = "umask; ulimit -n; ulimit -Hn"
    options = ("--umask", "027", "--ulimit", "nofile=100:200")
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", script)
    assert out.split() == ["0027", "100", "200"]
    assert demo.ok("run", "debian-demo", "sh", "-c", "umask") == "0022\n"
