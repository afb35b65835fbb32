"""Records of containers: kept, found, changed by one at a time."""

import fcntl
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from living_records import a_record

from rootless.containers import record as records
from rootless.containers.container import PlainRoot
from rootless.containers.record import MadeFrom, Record
from rootless.errors import Conflict, InvalidInput, NotFound, StoreError
from rootless.paths import Paths


def test_comes_back_the_same(paths: Paths) -> None:
    """What was kept is read as it was, bytes that are no text included; it is its user's alone."""
    kept = a_record(image=MadeFrom("pic", "sha256:1"), labels={"a": "b"})
    folder = records.create(paths, kept, ("trees/x", "blobs/sha256/y"))
    assert records.find(paths, "n") == kept
    assert records.upperdir_of(kept) == Path("/kept")
    assert records.folder_of(paths, kept) == folder == paths.store / "containers" / kept.id
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "needs").read_text() == "trees/x\nblobs/sha256/y\n"
    assert json.loads((folder / "config.json").read_text())["process"]["cwd"] == "/"


def test_a_plain_root_has_no_upperdir(paths: Paths) -> None:
    """A bundle's folder is written to itself."""
    plain = a_record()
    plain = replace(plain, container=replace(plain.container, root=PlainRoot(Path("/bundle"))))
    records.create(paths, plain)
    assert records.find(paths, "n") == plain
    assert records.upperdir_of(plain) is None


def test_one_that_goes_with_its_run(paths: Paths) -> None:
    """It is found in the run's folder, which its run makes."""
    passing = a_record("p", kept=False)
    folder = records.folder_of(paths, passing)
    assert folder == paths.runtime / "runs" / passing.id
    folder.mkdir(parents=True)
    records.write(folder, passing)
    assert records.find(paths, "p") == passing
    assert records.find(paths, passing.id) == passing


class TestFind:
    """What leads to a container."""

    def test_by_every_word(self, paths: Paths) -> None:
        """The name, the ID, and its beginning; a name wins over a beginning."""
        for record in (a_record("one", "a"), a_record("bb", "c"), a_record("three", "b")):
            records.create(paths, record)
        for text, name in (("one", "one"), ("a" * 64, "one"), ("aaa", "one"), ("bb", "bb")):
            assert records.find(paths, text).name == name
        assert records.find(paths, "bbb").name == "three"
        assert [found.name for found in records.all_records(paths)] == ["bb", "one", "three"]

    @pytest.mark.parametrize("text", ["", "x", "d", "f" * 64, "../store", "A"])
    def test_nothing(self, paths: Paths, text: str) -> None:
        """What is not there is told with what is."""
        with pytest.raises(NotFound, match=r"no such container.*\(there are none\)"):
            records.find(paths, text)
        for name, digit in (("b", "1"), ("c", "2")):
            records.create(paths, a_record(name, digit))
        with pytest.raises(NotFound, match=r"no such container.*\(there are b, c\)"):
            records.find(paths, text)

    def test_several(self, paths: Paths) -> None:
        """A beginning of two IDs is not enough."""
        first = a_record("one", "a")
        second = replace(a_record("two", "b"), id="a" * 63 + "b")
        records.create(paths, first)
        records.create(paths, second)
        with pytest.raises(InvalidInput, match="several containers"):
            records.find(paths, "aa")

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", "7", '{"id": 7}'])
    def test_a_damaged_one(self, paths: Paths, text: str) -> None:
        """It is an error that names the file to who means it, and in nobody else's way."""
        damaged = records.create(paths, a_record("d", "d"))
        records.create(paths, a_record("one", "a"))
        (damaged / "container.json").write_text(text)
        with pytest.raises(StoreError, match=r"record is damaged: .*container\.json"):
            records.find(paths, "d" * 64)
        assert records.find(paths, "one").name == "one"


class TestCreate:
    """Names are unique, and what cannot be kept leaves nothing."""

    def test_a_name_in_use(self, paths: Paths) -> None:
        """The second of a name is a conflict, of a running one in the foreground too."""
        records.create(paths, a_record("n", "a"))
        with pytest.raises(Conflict, match=r"the name is in use by another container: n \("):
            records.create(paths, a_record("n", "b"))
        passing = a_record("p", "c", kept=False)
        records.folder_of(paths, passing).mkdir(parents=True)
        records.write(records.folder_of(paths, passing), passing)
        with pytest.raises(Conflict, match="the name is in use"):
            records.create(paths, a_record("p", "d"))
        assert len(records.all_records(paths)) == 2

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "-a", "_a", ".a", "a/b", "a b", "a\n", "é", "x" * 129]
    )
    def test_bad_names(self, paths: Paths, name: str) -> None:
        """What could leave the folder, look like an option or be hidden is no name."""
        with pytest.raises(InvalidInput, match="not a container name"):
            records.create(paths, a_record(name))

    def test_a_store_that_cannot_be_written(self, paths: Paths) -> None:
        """It is one error, with the path."""
        paths.store.touch()
        with pytest.raises(StoreError, match=r"cannot keep the container: .*store"):
            records.create(paths, a_record())

    def test_what_a_kill_left(self, paths: Paths) -> None:
        """A folder without a record, and one on its way out, are nobody's and are told."""
        going = records.take_away(paths, _created(paths, "a"))
        bare = records.create(paths, a_record("b", "b"))
        (bare / "container.json").unlink()
        whole = records.create(paths, a_record("c", "c"))
        with records.unfinished(paths) as left:
            assert sorted(left) == sorted([going, bare])
        assert [found.name for found in records.all_records(paths)] == ["c"]
        assert whole.exists()


def _created(paths: Paths, digit: str) -> Record:
    record = a_record(digit, digit)
    records.create(paths, record)
    return record


class TestChange:
    """One at a time."""

    def test_rename(self, paths: Paths) -> None:
        """The new name leads to it, the old one is free; one in use stays with its holder."""
        one, _ = _created(paths, "a"), _created(paths, "b")
        assert records.rename(paths, one, "new").name == "new"
        assert records.find(paths, "new").id == one.id
        assert records.find_named(paths, "a") is None
        with pytest.raises(Conflict, match="the name is in use by another container: b"):
            records.rename(paths, one, "b")
        with pytest.raises(InvalidInput, match="not a container name"):
            records.rename(paths, one, "-x")

    def test_one_that_is_being_changed(self, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who does not get the lock in time is told; who gets it after a removal as well."""
        record = _created(paths, "a")
        monkeypatch.setattr(records, "_PATIENCE_S", 0.05)
        fd = os.open(records.folder_of(paths, record), os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="another command is changing the container: a"):
            records.rename(paths, record, "b")
        os.close(fd)
        with records.locked(paths, record):
            records.take_away(paths, record)
        with pytest.raises(NotFound, match="no such container: a"), records.locked(paths, record):
            pytest.fail("it is gone")

    def test_leaves_no_other_files(self, paths: Paths) -> None:
        """What is written in between is gone afterwards."""
        record = _created(paths, "a")
        records.rename(paths, record, "b")
        names = os.listdir(records.folder_of(paths, record))
        assert sorted(names) == ["config.json", "container.json", "needs"]
