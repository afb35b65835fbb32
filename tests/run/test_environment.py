"""The command's words, environment and working directory."""

from pathlib import Path

import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def test_environment_is_the_images(demo: Rootless) -> None:
    """The command sees the image's variables and a few of ours, none of the caller's."""
    out = demo.ok("run", "--hostname", "web", "debian-demo", "env", env={"SECRET": "of the host"})
    assert sorted(out.splitlines()) == [
        "DEMO=yes",
        "HOME=/root",
        "HOSTNAME=web",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "container=rootless",
    ]


def test_env_options(demo: Rootless, tmp_path: Path) -> None:
    """-e sets or passes variables, --env-file does so for lines; -e and later ones win."""
    file = tmp_path / "vars"
    file.write_text("# a comment\n\nONE=file\nTWO=two words\nPASSED\nFILE_*\n")
    environ = {"PASSED": "yes", "FILE_A": "a", "FILE_B": "b", "OTHER": "no", "GIVEN": "g"}
    options = ("--env-file", file, "-e", "ONE=1", "-e", "ONE=2", "-e", "GIVEN", "-e", "NOT_SET")
    out = demo.ok("run", *options, "-e", "DEMO=", "debian-demo", "env", env=environ).splitlines()
    assert {"ONE=2", "TWO=two words", "PASSED=yes", "FILE_A=a", "FILE_B=b", "GIVEN=g"} <= set(out)
    assert "DEMO=" in out
    assert not [line for line in out if line.startswith(("OTHER", "NOT_SET", "#"))]


def test_home_can_be_set(demo: Rootless) -> None:
    """HOME comes from passwd and gives way to -e."""
    command = ("debian-demo", "sh", "-c", "echo $HOME")
    assert demo.ok("run", "--user", "daemon", *command) == "/usr/sbin\n"
    assert demo.ok("run", "-e", "HOME=/x", *command) == "/x\n"


@pytest.mark.both_users
def test_workdir(demo: Rootless) -> None:
    """-w is where the command starts; a missing one is made and belongs to the user."""
    command = ("debian-demo", "sh", "-c", "pwd; stat -c %u .")
    assert demo.ok("run", "-w", "/usr/lib/../share", *command) == "/usr/share\n0\n"
    assert demo.ok("run", "--user", "7", "-w", "/made/deep", *command) == "/made/deep\n7\n"


def test_workdir_that_is_none(demo: Rootless) -> None:
    """A file, or a folder that the user may not enter, is one line."""
    file = demo("run", "-w", "/etc/passwd", "debian-demo", "pwd")
    assert file.status == 125
    assert file.stderr == "rootless: the working directory is a file in the image: /etc/passwd\n"
    closed = demo("run", "--user", "nobody", "-w", "/root", "debian-demo", "pwd")
    assert closed.status == 125
    assert "cannot enter the working directory: Permission denied: /root" in closed.stderr


@pytest.mark.parametrize(
    ("options", "command", "said"),
    [
        (("--entrypoint", "echo"), ("a", "b c"), "a b c"),
        (("--entrypoint", '["echo", "x  y"]'), ("z",), "x  y z"),
        (("--entrypoint", ""), ("echo", "cleared"), "cleared"),
    ],
)
def test_entrypoint(
    demo: Rootless, options: tuple[str, ...], command: tuple[str, ...], said: str
) -> None:
    """--entrypoint takes a program, a JSON array, or nothing, before the command's words."""
    assert demo.ok("run", *options, "debian-demo", *command) == f"{said}\n"


def test_entrypoint_with_a_space(demo: Rootless, folder: Path) -> None:
    """A program's path may hold spaces: the word is not split."""
    program = folder / "a program"
    program.write_text("#!/bin/sh\necho it ran\n")
    program.chmod(0o755)
    options = ("-v", f"{folder}:/f", "--entrypoint", "/f/a program")
    assert demo.ok("run", *options, "debian-demo") == "it ran\n"


def test_standard_streams(demo: Rootless, driver: str) -> None:
    """With -i standard input is passed, without it is empty; the outputs stay apart, binary too."""
    options = ("--overlay-driver", driver)
    result = demo(
        "run", "-i", *options, "debian-demo", "sh", "-c", "cat; echo e >&2", stdin="\udcff\n"
    )
    assert (result.stdout, result.stderr) == ("\udcff\n", "e\n")
    assert demo("run", *options, "debian-demo", "cat", stdin="not passed").stdout == ""


def test_what_the_image_says(rootless: Rootless, shell_layer: bytes) -> None:
    """Entrypoint, Cmd, Env, WorkingDir and User come from the image, and give way to options."""
    config = {
        "Entrypoint": ["/bin/sh", "-c", 'echo "$PWD $A $HOME $0"; test -w . && echo mine'],
        "Cmd": ["from cmd"],
        "WorkingDir": "/made/by/the/image",
        "User": "12:13",
        "Env": ["A=1", "PATH=/"],
    }
    shell_image.load_image(rootless, [shell_layer], config)
    assert rootless.ok("run", "small") == "/made/by/the/image 1 / from cmd\nmine\n"
    options = ("-w", "/", "-e", "A=2", "--user", "0")
    assert rootless.ok("run", *options, "small", "word") == "/ 2 / word\nmine\n"
    options = ("--entrypoint", "/bin/sh")
    assert rootless.ok("run", *options, "small", "-c", "echo $0") == "/bin/sh\n"
    without = rootless("run", "--entrypoint", "", "small")
    assert "names no command" in without.stderr


def test_more_and_less_of_it(demo: Rootless) -> None:
    """--env-host gives way to the image, --unsetenv takes out of it; a zone needs no files."""
    options = ("--env-host", "--unsetenv", "container", "--tz", "Europe/Berlin")
    environ = {"DEMO": "no", "MINE": "yes"}
    out = demo.ok("run", *options, "debian-demo", "env", env=environ).splitlines()
    assert {"DEMO=yes", "MINE=yes"} <= set(out)
    assert not [line for line in out if line.startswith("container=")]
    assert [line for line in out if line.startswith("TZ=")]
    assert demo.ok("run", "--unsetenv-all", "-e", "A=b", "debian-demo", "/usr/bin/env") == "A=b\n"


@pytest.mark.both_users
def test_what_the_kernel_keeps_of_it(demo: Rootless) -> None:
    """--sysctl sets what is the container's own, --oom-score-adj what its processes inherit."""
    options = ("--network", "none", "--sysctl", "net.core.somaxconn=77", "--oom-score-adj", "901")
    paths = ("/proc/sys/net/core/somaxconn", "/proc/self/oom_score_adj")
    assert demo.ok("run", *options, "debian-demo", "cat", *paths) == "77\n901\n"
    said = demo("run", "--sysctl", "net.core.somaxconn=77", "debian-demo", "true")
    assert "belongs to the host's network" in said.stderr
