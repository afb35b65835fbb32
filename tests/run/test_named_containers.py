"""Containers that are kept by their name, and `rootless rm`."""

import subprocess

import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def test_a_name_keeps_what_was_written(
    demo: Rootless, kept_name: str, id_map_options: tuple[str, ...], driver: str
) -> None:
    """--name keeps the writes for the next run, --replace starts afresh, rm removes them."""

    def run(*options: str, script: str) -> str:
        words = (*id_map_options, "--overlay-driver", driver, "--name", kept_name, *options)
        return demo.ok("run", *words, "debian-demo", "sh", "-c", script)

    run(script="echo one > /kept; rm /etc/motd")
    assert run(script="cat /kept; test -e /etc/motd || echo gone") == "one\ngone\n"
    assert run("--replace", script="test -e /kept || echo fresh; echo two > /kept") == "fresh\n"
    assert run(script="cat /kept") == "two\n"
    assert demo.ok("rm", kept_name) == f"{kept_name}\n"
    assert run("--rm", script="test -e /kept || echo fresh") == "fresh\n"
    assert demo("rm", kept_name).status == 125


@pytest.mark.needs_subid
def test_rm_of_files_that_sub_ids_own(demo: Rootless, kept_name: str) -> None:
    """`rm` removes what other users of the container wrote, in folders closed to the caller."""
    script = "mkdir /his && touch /his/file && chown -R 7:7 /his && chmod 0 /his"
    demo.ok("run", "--name", kept_name, "debian-demo", "sh", "-c", script)
    folders = set((demo.home.store / "containers").iterdir())
    demo.ok("rm", kept_name)
    assert len(folders - set((demo.home.store / "containers").iterdir())) == 1


def test_one_that_runs(demo: Rootless, kept_name: str) -> None:
    """rm, --replace and a second run of a running container are conflicts, and it runs on."""
    words = ("run", "-i", "--name", kept_name, "debian-demo", "sh", "-c", "echo; cat")
    with demo.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        removed = demo("rm", kept_name)
        replaced = demo("run", "--replace", "--name", kept_name, "debian-demo", "true")
        second = demo("run", "--name", kept_name, "debian-demo", "true")
        out, _ = first.communicate(b"still here")
    assert (first.returncode, out) == (0, b"still here")
    for result in (removed, replaced, second):
        assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert removed.stderr == replaced.stderr
    assert f"the container is running: {kept_name}" in removed.stderr
    assert kept_name in second.stderr


def test_another_image(rootless: Rootless, shell_layer: bytes) -> None:
    """A name stays with its image: another one is a conflict, until --replace or rm."""
    for name, layers in (("one", [shell_layer]), ("two", [shell_layer, shell_image.EMPTY])):
        shell_image.load_image(rootless, layers, name=name)
    rootless.ok("run", "--name", "n", "one", "/bin/sh", "-c", "echo > /kept")
    result = rootless("run", "--name", "n", "two", "/bin/sh")
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "the container was made from another image" in result.stderr
    assert "one" in result.stderr
    script = ("/bin/sh", "-c", "test -e /kept || echo fresh")
    assert rootless.ok("run", "--replace", "--name", "n", "two", *script) == "fresh\n"
    rootless.ok("rm", "n")


def test_names(demo: Rootless) -> None:
    """A name that cannot be one is refused; one that is not there is told with those that are."""
    for name in ("../x", "a/b", "-x", ".x", "a b", "x" * 200):
        result = demo("run", f"--name={name}", "debian-demo", "true")
        assert (result.status, result.stderr.count("\n")) == (125, 1)
        assert "not a container name" in result.stderr
    result = demo("rm", "no-such-container")
    assert result.status == 125
    assert "no such container: no-such-container" in result.stderr


def test_name_and_overlay(demo: Rootless, tmp_path_factory: pytest.TempPathFactory) -> None:
    """--name and --overlay exclude each other."""
    kept = tmp_path_factory.mktemp("kept")
    result = demo("run", "--name", "n", "--overlay", kept, "debian-demo", "true")
    assert result.status == 125
    assert "--name and --overlay exclude each other" in result.stderr
