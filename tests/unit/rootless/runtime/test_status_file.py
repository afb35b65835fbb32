"""State folders: made, locked, read and removed."""

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.errors import Conflict, InvalidInput, NotFound, StoreError
from rootless.linux.pidfd import start_time
from rootless.oci.state import Status
from rootless.runtime import gate
from rootless.runtime.status_file import StateFolder, all_folders, check_id

SPEC = b'{"ociVersion": "1.0.2", "process": {"args": ["true"], "cwd": "/"}, "root": {"path": "r"}}'


def make(root: Path, container_id: str = "c") -> StateFolder:
    """Make the folder of a container; the caller closes it."""
    return StateFolder.make(root, container_id, Path("/bundle"), SPEC)


class TestLife:
    """From `make` to `remove`."""

    def test_status(self, tmp_path: Path) -> None:
        """It is told by the lock, the process and the gate, and by no word in a file."""
        with (
            subprocess.Popen(["sleep", "600"]) as process,
            make(tmp_path) as folder,
            StateFolder.open(tmp_path, "c") as other,
        ):
            assert other.state().status is Status.CREATING
            assert other.open_process() is None
            folder.set_process(process.pid, {"a": "b"})
            with gate.listen(folder.fd):
                assert other.state().status is Status.CREATED
            state = other.state()
            assert (state.status, state.pid) == (Status.RUNNING, process.pid)
            assert (state.bundle, state.annotations) == ("/bundle", {"a": "b"})
            process.kill()
            process.wait()
            state = other.state()
            assert (state.status, state.pid) == (Status.STOPPED, 0)
            assert other.open_process() is None
            folder.remove()
        assert list(tmp_path.iterdir()) == []

    def test_a_reused_process_id_is_not_it(self, tmp_path: Path) -> None:
        """A process of that ID that started at another time is not the container's."""
        with make(tmp_path) as folder:
            record = folder.set_process(os.getpid(), {})
            assert record.started == start_time(os.getpid())
            fd = folder.open_process()
            assert fd is not None
            os.close(fd)
            with StateFolder.open(tmp_path, "c") as other:
                assert other.status(record) is Status.RUNNING
            data = json.loads((tmp_path / "c" / "state.json").read_text())
            (tmp_path / "c" / "state.json").write_text(json.dumps({**data, "started": 1}))
            assert folder.state().status is Status.STOPPED
            assert folder.open_process() is None

    def test_a_process_that_has_ended_is_not_kept(self, tmp_path: Path) -> None:
        """A container whose process is gone before it is kept is none."""
        with subprocess.Popen(["true"]) as process:
            process.wait()
        with make(tmp_path) as folder, pytest.raises(StoreError, match="ended while it was"):
            folder.set_process(process.pid, {})

    def test_the_spec_is_kept(self, tmp_path: Path) -> None:
        """The spec that it was made from is the one that is read."""
        with make(tmp_path) as folder:
            assert folder.spec().process.args == ("true",)

    def test_modes(self, tmp_path: Path) -> None:
        """Nobody else can look into it."""
        with make(tmp_path / "root"):
            assert (tmp_path / "root").stat().st_mode & 0o777 == 0o700
            assert (tmp_path / "root" / "c").stat().st_mode & 0o777 == 0o700


class TestKilledBetween:
    """What a `create` or a `delete` that was killed has left behind."""

    @pytest.mark.parametrize("files", [(), ("config.json",), (".tmp-state.json", "gate")])
    def test_without_a_record(self, tmp_path: Path, files: tuple[str, ...]) -> None:
        """The ID is free: made again, or removed by a delete that finds nothing."""
        for use in (make, lambda root: StateFolder.open(root, "c", lock=True)):
            (tmp_path / "c").mkdir()
            for name in files:
                (tmp_path / "c" / name).touch()
            try:
                with use(tmp_path) as folder:
                    assert folder.record().id == "c"
                    assert sorted(os.listdir(folder.fd)) == ["config.json", "state.json"]
                    folder.remove()
            except NotFound:
                assert use is not make
            assert not (tmp_path / "c").exists()

    def test_with_a_record(self, tmp_path: Path) -> None:
        """A creation that was killed is stopped, also to who holds its lock, and is deleted."""
        make(tmp_path).close()
        with StateFolder.open(tmp_path, "c") as folder:
            assert folder.state().status is Status.STOPPED
        with pytest.raises(Conflict, match="there is a container of that ID already: c"):
            make(tmp_path)
        with StateFolder.open(tmp_path, "c", lock=True) as folder:
            assert folder.state().status is Status.STOPPED
            folder.remove()
        make(tmp_path).close()


class TestLock:
    """Verbs that change a container wait for each other."""

    def test_who_waits_finds_it_deleted(self, tmp_path: Path) -> None:
        """The lock of a folder that has been removed is not taken for the new one's."""
        first = make(tmp_path)
        first.close()
        with subprocess.Popen(
            ["flock", str(tmp_path / "c"), "sh", "-c", "echo; read line"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            pid = os.fork()
            if pid == 0:
                try:
                    StateFolder.open(tmp_path, "c", lock=True)
                except NotFound:
                    os._exit(0)
                os._exit(1)
            (tmp_path / "c").rename(tmp_path / "gone")
            holder.communicate(b"\n")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def test_unlock(self, tmp_path: Path) -> None:
        """After `unlock` another one gets it at once."""
        with make(tmp_path) as folder:
            folder.unlock()
            fd = os.open(tmp_path / "c", os.O_RDONLY)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(fd)


class TestRefused:
    """What is no container, or no folder."""

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a b", "ä", "a\n", "x" * 1025])
    def test_ids(self, tmp_path: Path, name: str) -> None:
        """An ID is a file name, and a plain one."""
        for use in (make, StateFolder.open):
            with pytest.raises(InvalidInput, match="not a container ID"):
                use(tmp_path, name)
        assert list(tmp_path.iterdir()) == []

    @given(st.from_regex(r"[A-Za-z0-9_+.-]{1,64}", fullmatch=True).filter(lambda t: t.strip(".")))
    def test_every_other_id_is_one(self, name: str) -> None:
        """Every letter that the specification's implementations take is taken."""
        check_id(name)

    def test_damaged(self, tmp_path: Path) -> None:
        """A record that cannot be read says so, and what to do."""
        with make(tmp_path) as folder:
            for text in ("", "{", "[]", '{"id": "c"}', '{"none": 1}'):
                (tmp_path / "c" / "state.json").write_text(text)
                with pytest.raises(StoreError, match=r"damaged.*'delete --force' removes it"):
                    folder.record()

    def test_a_file_in_its_place(self, tmp_path: Path) -> None:
        """A root that is a file, and an ID that is one or a link, are one clear line."""
        (tmp_path / "file").touch()
        (tmp_path / "link").symlink_to("/")
        with pytest.raises(StoreError, match="cannot keep the state: not a folder"):
            make(tmp_path / "file")
        for name in ("file", "link"):
            with pytest.raises(StoreError, match="cannot keep the state"):
                make(tmp_path, name)
            with pytest.raises(StoreError, match="cannot read the state"):
                StateFolder.open(tmp_path, name)

    def test_none(self, tmp_path: Path) -> None:
        """A container that is not there is not found, in a root that is not there either."""
        with pytest.raises(NotFound, match="no such container: c"):
            StateFolder.open(tmp_path / "none", "c")
        assert list(all_folders(tmp_path / "none")) == []


def test_all_folders(tmp_path: Path) -> None:
    """They come by ID, and each is closed after its turn."""
    for name in ("b", "a"):
        make(tmp_path, name).close()
    (tmp_path / "no folder").mkdir()
    assert [folder.path.name for folder in all_folders(tmp_path)] == ["a", "b"]
