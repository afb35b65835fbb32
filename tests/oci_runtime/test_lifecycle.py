"""A container from `create` to `delete` (runtime-spec runtime.md), by the real executable."""

import json
import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from run_processes import is_alive
from runtime_bundle import Runtime

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]

Bundle = Callable[..., Path]

CYCLES = int(os.environ.get("ROOTLESS_CYCLES") or 20)


def test_output_and_end(runtime: Runtime, bundle: Bundle) -> None:
    """The process has the caller's streams, and its end is the container's."""
    assert runtime.run_to_its_end("c", bundle("echo said; echo loud >&2")) == "said\n"
    assert runtime.errors == "loud\n"


class TestCreate:
    """runtime.md, "Create": everything but the process."""

    def test_waits_at_the_gate(self, runtime: Runtime, bundle: Bundle) -> None:
        """The program does not run before `start`; the state says so throughout."""
        folder = bundle("echo ran; exec sleep 600")
        runtime.ok("create", "--bundle", folder, "c")
        created = runtime.state("c")
        assert created["status"] == "created"
        assert created["id"] == "c"
        assert created["bundle"] == str(folder)
        assert created["ociVersion"].startswith("1.")
        assert created["owner"] == str(os.getuid())
        assert is_alive(created["pid"])
        time.sleep(0.2)
        assert runtime.said == ""

        runtime.ok("start", "c")
        running = runtime.state("c")
        assert (running["status"], running["pid"]) == ("running", created["pid"])
        assert Path(f"/proc/{running['pid']}/comm").read_text() in ("sh\n", "sleep\n")

        runtime.ok("kill", "c", "KILL")
        runtime.wait_for("c", "stopped")
        assert "pid" not in runtime.state("c")
        runtime.ok("delete", "c")
        result = runtime("state", "c")
        assert (result.status, result.stderr) == (125, "rootless-runtime: no such container: c\n")

    def test_annotations_are_in_the_state(self, runtime: Runtime, bundle: Bundle) -> None:
        """runtime.md, "State": annotations are config.json's."""
        folder = bundle("true", lambda spec: spec.update(annotations={"a.b": "c"}))
        runtime.ok("create", "--bundle", folder, "c")
        assert runtime.state("c")["annotations"] == {"a.b": "c"}

    def test_a_change_after_it_has_no_effect(self, runtime: Runtime, bundle: Bundle) -> None:
        """runtime.md, "Lifecycle": config.json may change, or go, once `create` has returned."""
        folder = bundle("echo first")
        runtime.ok("create", "--bundle", folder, "c")
        (folder / "config.json").write_text("{")
        runtime.ok("start", "c")
        runtime.wait_for("c", "stopped")
        (folder / "config.json").unlink()
        runtime.ok("delete", "c")
        assert runtime.said == "first\n"

    def test_an_id_is_one_containers(self, runtime: Runtime, bundle: Bundle) -> None:
        """A second container of an ID is refused, and the first one is as it was."""
        folder = bundle("sleep 600")
        runtime.ok("create", "--bundle", folder, "c")
        before = runtime.state("c")
        assert runtime("create", "--bundle", folder, "c").status == 125
        assert runtime.errors.count("\n") == 1
        assert "there is a container of that ID already: c (delete it first)" in runtime.errors
        assert runtime.state("c") == before

    def test_two_at_once(self, runtime: Runtime, bundle: Bundle) -> None:
        """Of two of one ID one is made, and the other one is told why not."""
        folder = bundle("sleep 600")
        both = [runtime.start("create", "--bundle", folder, "c") for _ in range(2)]
        assert sorted(process.wait(30) for process in both) == [0, 125]
        assert "there is a container of that ID already: c" in runtime.errors
        assert runtime.status("c") == "created"

    def test_pid_file(self, runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
        """--pid-file has the process that `state` names."""
        file = tmp_path / "pid"
        runtime.ok("create", "--bundle", bundle("true"), "--pid-file", file, "c")
        assert file.read_text() == str(runtime.state("c")["pid"])

    def test_no_pid_file(self, runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
        """A PID file that cannot be written fails `create`, and nothing is left."""
        file = tmp_path / "none" / "pid"
        assert runtime("create", "--bundle", bundle("true"), "--pid-file", file, "c").status == 125
        assert "cannot write the PID file: No such file or directory" in runtime.errors
        assert runtime.status("c") == ""

    def test_a_program_that_is_not_there(self, runtime: Runtime, bundle: Bundle) -> None:
        """It is told by `create` already, with the shell's status, and nothing is left."""
        folder = bundle("", lambda spec: spec["process"].update(args=["no-such-program"]))
        assert runtime("create", "--bundle", folder, "c").status == 127
        assert "command not found" in runtime.errors
        assert list(runtime.root.iterdir()) == []

    def test_the_state_is_the_users_own(self, runtime: Runtime, bundle: Bundle) -> None:
        """The state folder is nobody else's to look into."""
        runtime.ok("create", "--bundle", bundle("true"), "c")
        for path in (runtime.root, runtime.root / "c"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700

    def test_a_deep_root(self, runtime: Runtime, bundle: Bundle, tmp_path: Path) -> None:
        """A state folder may lie deeper than the 107 bytes of a socket's path (unix(7))."""
        root = tmp_path.joinpath(*["deeper-and-deeper"] * 8)
        deep = Runtime(root, runtime.output, runtime.environ)
        assert deep.run_to_its_end("c" * 100, bundle("echo deep")) == "deep\n"


class TestStart:
    """runtime.md, "Start"."""

    def test_twice(self, runtime: Runtime, bundle: Bundle) -> None:
        """A container is started once: not while it runs, not after its end."""
        runtime.ok("create", "--bundle", bundle("sleep 600"), "c")
        runtime.ok("start", "c")
        result = runtime("start", "c")
        assert result.status == 125
        assert result.stderr == ("rootless-runtime: cannot start a container that is running: c\n")
        runtime.ok("kill", "c", "KILL")
        runtime.wait_for("c", "stopped")
        assert "cannot start a container that is stopped: c\n" in runtime("start", "c").stderr

    def test_two_at_once(self, runtime: Runtime, bundle: Bundle) -> None:
        """Of two at once one starts it, and the other one is told why not."""
        runtime.ok("create", "--bundle", bundle("sleep 600"), "c")
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda _: runtime("start", "c"), range(2)))
        assert sorted(result.status for result in results) == [0, 125]
        loser = max(results, key=lambda result: result.status)
        assert loser.stderr == "rootless-runtime: cannot start a container that is running: c\n"

    def test_a_program_that_goes(self, runtime: Runtime, bundle: Bundle) -> None:
        """A program that is gone by then is told by `start`, with the shell's status."""
        folder = bundle("")
        program = folder / "rootfs" / "program"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        config = json.loads((folder / "config.json").read_text())
        config["process"]["args"] = ["/program"]
        (folder / "config.json").write_text(json.dumps(config))
        runtime.ok("create", "--bundle", folder, "c")
        program.unlink()
        result = runtime("start", "c")
        assert (result.status, result.stderr.count("\n")) == (127, 1)
        runtime.wait_for("c", "stopped")


class TestKill:
    """runtime.md, "Kill"."""

    def test_a_signal_arrives(self, runtime: Runtime, bundle: Bundle) -> None:
        """A signal reaches the program's handler, by any of its names."""
        script = (
            "trap 'echo usr' USR1; trap 'echo term; exit' TERM; echo up; "
            "while :; do sleep 0.05; done"
        )
        runtime.ok("create", "--bundle", bundle(script), "c")
        runtime.ok("start", "c")
        wait_for_output(runtime, "up\n")
        for name, said in (
            ("USR1", "usr\n"),
            ("SIGUSR1", "usr\n"),
            ("10", "usr\n"),
            ("", "term\n"),
        ):
            before = runtime.said
            runtime.ok("kill", "c", *filter(None, (name,)))
            wait_for_output(runtime, before + said)
        runtime.wait_for("c", "stopped")

    @pytest.mark.parametrize("name", ["TERM", "KILL"])
    def test_of_a_created_one(self, runtime: Runtime, bundle: Bundle, name: str) -> None:
        """A container that still waits ends by it."""
        runtime.ok("create", "--bundle", bundle("echo ran"), "c")
        runtime.ok("kill", "c", name)
        runtime.wait_for("c", "stopped")
        runtime.ok("delete", "c")
        assert runtime.said == ""

    def test_of_a_stopped_one(self, runtime: Runtime, bundle: Bundle) -> None:
        """It is an error, but for all of its processes, of which there are none."""
        runtime.ok("create", "--bundle", bundle("true"), "c")
        runtime.ok("start", "c")
        runtime.wait_for("c", "stopped")
        result = runtime("kill", "c", "TERM")
        assert (result.status, result.stderr) == (
            125,
            "rootless-runtime: cannot signal a container that is stopped: c\n",
        )
        runtime.ok("kill", "--all", "c", "KILL")

    def test_all(self, runtime: Runtime, bundle: Bundle) -> None:
        """--all reaches the children, too."""
        child = "sh -c 'trap \"echo child\" USR1; echo up; while :; do sleep 0.05; done'"
        script = f"trap : USR1; {child} & wait; wait"
        runtime.ok("create", "--bundle", bundle(script), "c")
        runtime.ok("start", "c")
        wait_for_output(runtime, "up\n")
        runtime.ok("kill", "--all", "c", "USR1")
        wait_for_output(runtime, "up\nchild\n")


class TestDelete:
    """runtime.md, "Delete"."""

    def test_of_one_that_has_not_stopped(self, runtime: Runtime, bundle: Bundle) -> None:
        """Created or running it is refused; --force kills it first."""
        for status in ("created", "running"):
            runtime.ok("create", "--bundle", bundle("sleep 600"), status)
            if status == "running":
                runtime.ok("start", status)
            pid = runtime.state(status)["pid"]
            result = runtime("delete", status)
            assert result.status == 125
            assert f"cannot delete a container that is {status}: {status} (" in result.stderr
            assert is_alive(pid)
            runtime.ok("delete", "--force", status)
            assert not is_alive(pid)
            assert runtime.status(status) == ""

    def test_two_at_once(self, runtime: Runtime, bundle: Bundle) -> None:
        """Of two at once one deletes it, and the other one finds nothing."""
        runtime.ok("create", "--bundle", bundle("true"), "c")
        runtime.ok("start", "c")
        runtime.wait_for("c", "stopped")
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda _: runtime("delete", "c"), range(2)))
        assert sorted((result.status, result.stderr) for result in results) == [
            (0, ""),
            (125, "rootless-runtime: no such container: c\n"),
        ]

    def test_of_one_that_is_not_there(self, runtime: Runtime) -> None:
        """It is an error, but not with --force."""
        assert runtime("delete", "c").stderr == "rootless-runtime: no such container: c\n"
        runtime.ok("delete", "--force", "c")

    def test_of_one_with_a_damaged_record(self, runtime: Runtime, bundle: Bundle) -> None:
        """It says how to be rid of it, and that is true."""
        runtime.ok("create", "--bundle", bundle("true"), "c")
        runtime.ok("kill", "c", "KILL")
        (runtime.root / "c" / "state.json").write_text("{")
        result = runtime("delete", "c")
        assert (result.status, result.stderr.count("\n")) == (125, 1)
        assert "'delete --force' removes it" in result.stderr
        runtime.ok("delete", "--force", "c")


def test_list(runtime: Runtime, bundle: Bundle) -> None:
    """All containers are listed, by ID, with their status: as a table, as JSON, as IDs."""
    folder = bundle("sleep 600")
    for name in ("b", "a"):
        runtime.ok("create", "--bundle", folder, name)
    runtime.ok("start", "a")
    assert runtime.ok("list", "-q") == "a\nb\n"
    title, *lines = runtime.ok("list").splitlines()
    assert title.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert [line.split()[0:3:2] for line in lines] == [["a", "running"], ["b", "created"]]
    documents = json.loads(runtime.ok("list", "--format", "json"))
    assert [item["status"] for item in documents] == ["running", "created"]
    assert documents[0]["bundle"] == str(folder)


@pytest.mark.slow
def test_cycles(runtime: Runtime, bundle: Bundle) -> None:
    """Create, start, kill, delete, many times: nothing is left ($ROOTLESS_CYCLES: how often)."""
    folder = bundle("sleep 600")
    for _ in range(CYCLES):
        cycle(runtime, folder, "c")


@pytest.mark.slow
def test_many_at_once(runtime: Runtime, bundle: Bundle) -> None:
    """The same with many containers at once."""
    folder = bundle("sleep 600")
    names = [f"c{number}" for number in range(max(10, CYCLES // 4))]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: cycle(runtime, folder, name), names))


def cycle(runtime: Runtime, bundle: Path, name: str) -> None:
    """Take one container through its life."""
    runtime.ok("create", "--bundle", bundle, name)
    runtime.ok("start", name)
    runtime.ok("kill", name, "KILL")
    runtime.wait_for(name, "stopped")
    runtime.ok("delete", name)


def wait_for_output(runtime: Runtime, text: str) -> None:
    """Wait until the containers have written a text."""
    deadline = time.monotonic() + 10
    while runtime.said != text:
        assert time.monotonic() < deadline, runtime.said
        time.sleep(0.02)
