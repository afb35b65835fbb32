"""The exit status of `rootless run`: as env(1), podman and shells have it."""

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def test_is_the_commands_own(demo: Rootless, id_map_options: tuple[str, ...], driver: str) -> None:
    """A command's status is passed on, with either ID map and either driver."""
    options = (*id_map_options, "--overlay-driver", driver)
    assert demo("run", *options, "debian-demo", "sh", "-c", "exit 7").status == 7
    assert demo.ok("run", *options, "debian-demo", "python3", "-c", "print(6*7)") == "42\n"


@pytest.mark.both_users
@pytest.mark.parametrize(("number", "status"), [(15, 143), (9, 137)])
def test_tells_the_signal(demo: Rootless, number: int, status: int) -> None:
    """A command that a signal ends gives 128+N."""
    result = demo("run", "debian-demo", "sh", "-c", f"kill -{number} $$")
    assert (result.status, result.stderr) == (status, "")


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        ("no-such-program", 127, "command not found: not found on the container's PATH"),
        ("/bin/no-such-program", 127, "command not found: no such file in the image"),
        ("/etc/passwd/x", 127, "command not found"),
        ("", 127, "command not found: its name is empty"),
        ("/etc", 126, "permission denied"),
        ("/etc/passwd", 126, "permission denied"),
    ],
)
def test_of_what_cannot_run(demo: Rootless, command: str, status: int, says: str) -> None:
    """What is not there gives 127, what is not executable 126, and one line says which."""
    result = demo("run", "debian-demo", command)
    assert result.status == status
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert says in result.stderr
    assert command in result.stderr


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        ("#!/no/such/interpreter\n", 127, "its interpreter is not in the image"),
        ("no program\n", 126, "Exec format error"),
        ("#!/etc/passwd\n", 126, "Permission denied"),
    ],
)
def test_of_a_script(demo: Rootless, content: str, status: int, says: str) -> None:
    """A script whose interpreter is missing gives 127; one that no kernel executes 126."""
    script = demo.home.path / "script"
    script.write_text(content)
    script.chmod(0o755)
    result = demo("run", "-v", f"{script}:/script", "debian-demo", "/script")
    assert (result.status, result.stderr.count("\n")) == (status, 1)
    assert says in result.stderr


def test_of_another_user_is_judged_by_his_rights(demo: Rootless) -> None:
    """What only root may execute is 126 for another user."""
    script = demo.home.path / "private"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    volume = ("-v", f"{script}:/private")
    assert demo("run", *volume, "debian-demo", "/private").status == 0
    options = ("--userns", "single", "--cap-drop", "ALL")
    assert demo("run", *options, *volume, "debian-demo", "/private").status == 0
    script.chmod(0o600)
    assert demo("run", *volume, "debian-demo", "/private").status == 126


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "no image given"),
        (("", "true"), "no image given"),
        (("--no-such-option", "debian-demo"), "no such option: --no-such-option"),
        (("-h",), "option '-h' requires an argument (see 'rootless run --help')"),
        (("no-such-image", "true"), "no such image: no-such-image"),
        (("--network", "bridge", "debian-demo", "true"), "unknown network: bridge"),
        (("--overlay-driver", "aufs", "debian-demo", "true"), "aufs"),
        (("--userns", "auto", "debian-demo", "true"), "unknown user namespace mode: auto"),
        (("--cap-add", "FLY", "debian-demo", "true"), "unknown capability: FLY"),
        (("--security-opt", "x", "debian-demo", "true"), "unknown security option: x"),
        (("--shm-size", "big", "debian-demo", "true"), "not a size: big"),
        (("--ulimit", "nofile", "debian-demo", "true"), "not a resource limit: nofile"),
        (("--umask", "9", "debian-demo", "true"), "not a file mode mask: 9"),
        (("--device", "/etc/passwd", "debian-demo", "true"), "a device must have the form"),
        (("--dns", "one.test", "debian-demo", "true"), "--dns needs an IP address: one.test"),
        (("--add-host", "name", "debian-demo", "true"), "--add-host must have the form"),
        (("--env-file", "/no/file", "debian-demo", "true"), "no such file: /no/file"),
        (("-e", "=x", "debian-demo", "true"), "not a variable: =x"),
        (("-w", "relative", "debian-demo", "true"), "must be an absolute path: relative"),
        (("--replace", "debian-demo", "true"), "--replace needs --name"),
        (("--entrypoint", "[1]", "debian-demo"), "--entrypoint must be an array of strings"),
        (("--entrypoint", "", "debian-demo"), "names no command"),
    ],
)
def test_of_wrong_use_is_125(demo: Rootless, words: tuple[str, ...], says: str) -> None:
    """Wrong use ends with 125 and one line that quotes what was wrong."""
    result = demo("run", *words)
    assert result.status == 125
    assert result.stdout == ""
    assert result.stderr.startswith("rootless: ")
    assert result.stderr.count("\n") == 1
    assert says in result.stderr


def test_options_after_the_image_are_the_commands(demo: Rootless) -> None:
    """Words after the image are the command's, also where they look like options."""
    assert demo.ok("run", "debian-demo", "echo", "--help", "-e", "--", "x") == "--help -e -- x\n"
