"""Directories of a writable mount, read while they change."""

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import images
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.kernel_side import Listed, Mount, mounted

from fuse import wire
from fuse.server_config import ServerConfig

COUNT = 40
SMALL = 500  # holds three entries
MANY = 600


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Directories of forty files, and of many."""
    layer = images.LayerBuilder().directory("d").directory("big").directory("empty")
    for number in range(COUNT):
        layer.file(f"d/f{number:03}", b"%d" % number)
    for number in range(MANY):
        layer.file(f"big/f{number:03}")
    with mounted(tmp_path, [layer]) as made:
        yield made


def names_of(entries: list[Listed]) -> list[bytes]:
    """Return names without the dots."""
    return [each.name for each in entries if each.attr is not None]


def expected(count: int = COUNT) -> list[bytes]:
    """Return the names that the layer has."""
    return [b"f%03d" % number for number in range(count)]


def changed(mount: Mount, name: str) -> int:
    """Look a directory up and make it one of the upperdir, with the same names; its number."""
    ino = mount.find(name).ino
    mount.mknod(ino, b"new", 0o100644)
    mount.unlink(ino, b"new")
    return ino


@pytest.fixture(params=["plain", "changed"])
def directory(request: pytest.FixtureRequest, mount: Mount) -> int:
    """The directory of forty, as the tree has it and after something was done in it."""
    return changed(mount, "d") if request.param == "changed" else mount.find("d").ino


@pytest.mark.parametrize("size", [SMALL, 4096, 1 << 17])
def test_all_entries_then_the_dots(mount: Mount, directory: int, size: int) -> None:
    """Every name once, each followed by its own position, and the dots at the end."""
    fh = mount.opendir(directory)
    found = mount.read_rest(directory, fh, 0, size)
    assert [each.name for each in found] == [*expected(), b".", b".."]
    assert [each.position for each in found] == list(range(1, COUNT + 3))
    assert [each.ino for each in found[-2:]] == [directory, 1]
    for each in found[:-2]:
        assert each.attr is not None
        assert each.attr == mount.getattr(each.ino)


def test_an_empty_directory(mount: Mount) -> None:
    """It has the dots, and so has the root, whose parent is itself."""
    assert mount.names(mount.find("empty").ino) == []
    fh = mount.opendir(1)
    found = mount.read_rest(1, fh)
    assert [each.name for each in found] == [b"big", b"d", b"empty", b".", b".."]
    assert [each.ino for each in found[-2:]] == [1, 1]


def test_entries_count_as_look_ups(mount: Mount, directory: int) -> None:
    """Those that were given and no others; the dots count for none."""
    before = mount.told.copy()
    fh = mount.opendir(directory)
    found = mount.readdir(directory, fh, 0, SMALL)
    assert names_of(found) == expected(3)
    nodes = mount.core.overlay.nodes
    known = sum(map(nodes.told.count, mount.told)) + sum(
        node.lookups for node in map(nodes.known, mount.told) if node is not None
    )
    assert known == (mount.told - before).total() + before.total() == mount.told.total()


def test_what_nobody_has_changed_needs_no_node(mount: Mount, directory: int) -> None:
    """However many entries are read."""
    before = len(mount.core.overlay.nodes)
    assert mount.names(directory) == expected()
    assert len(mount.core.overlay.nodes) == before


def test_removing_what_was_read(mount: Mount, directory: int) -> None:
    """As `rm -r`: whatever is read is removed before the next piece, and none is skipped."""
    fh = mount.opendir(directory)
    position = 0
    removed = []
    while piece := mount.readdir(directory, fh, position, SMALL):
        for name in names_of(piece):
            mount.unlink(directory, name)
            removed.append(name)
        position = piece[-1].position
    assert removed == expected()
    assert mount.names(directory) == []
    mount.rmdir(1, b"d")


def test_removing_in_many_passes(mount: Mount, directory: int) -> None:
    """As `rm -r` where each piece is read with the directory opened anew."""
    while names := mount.names(directory, SMALL)[:3]:
        for name in names:
            mount.unlink(directory, name)
    mount.rmdir(1, b"d")


def test_what_goes_and_comes_meanwhile(mount: Mount, directory: int) -> None:
    """What was removed is not given; what is new shows in the next pass at the latest."""
    fh = mount.opendir(directory)
    first = mount.readdir(directory, fh, 0, SMALL)
    mount.unlink(directory, b"f000")
    mount.unlink(directory, b"f020")
    mount.mknod(directory, b"a-new-one", 0o100644)
    rest = mount.read_rest(directory, fh, first[-1].position)
    found = names_of(first + rest)
    stay = [name for name in expected() if name not in (b"f000", b"f020")]
    assert [name for name in found if name in stay] == stay
    assert b"f020" not in found
    assert set(mount.names(directory)) == {*stay, b"a-new-one"}


def test_what_is_written_anew(mount: Mount, directory: int) -> None:
    """A name that stands for another object, before it is read, is given as that object."""
    fh = mount.opendir(directory)
    first = mount.readdir(directory, fh, 0, SMALL)
    old = mount.find("d/f030").ino
    mount.unlink(directory, b"f030")
    new = mount.mkdir(directory, b"f030")
    rest = mount.read_rest(directory, fh, first[-1].position)
    (given,) = [each for each in rest if each.name == b"f030"]
    assert given.ino == new.ino != old
    assert given.attr == mount.getattr(new.ino)


def test_a_run_of_removed_entries_is_no_end(mount: Mount) -> None:
    """Entries that stay are given, however many of those before them are gone."""
    big = changed(mount, "big")
    fh = mount.opendir(big)
    first = mount.readdir(big, fh, 0, SMALL)
    for name in expected(MANY)[10:500]:
        mount.unlink(big, name)
    rest = mount.read_rest(big, fh, first[-1].position)
    stay = expected(MANY)[:10] + expected(MANY)[500:]
    assert names_of(first + rest) == stay


def test_positions_are_good_for_long(mount: Mount, directory: int) -> None:
    """Whatever comes and goes, a name that stays keeps its position, in any pass."""
    fh = mount.opendir(directory)
    before = {each.name: each.position for each in mount.read_rest(directory, fh)}
    mount.unlink(directory, b"f000")
    mount.unlink(directory, b"f007")
    mount.mknod(directory, b"a", 0o100644)
    mount.mknod(directory, b"z", 0o100644)
    again = mount.opendir(directory)
    second = {each.name: each.position for each in mount.read_rest(directory, again)}
    mount.unlink(directory, b"a")
    mount.mknod(directory, b"b", 0o100644)
    third = {each.name: each.position for each in mount.read_rest(directory, again)}
    for early, late in ((before, second), (second, third)):
        for name in early.keys() & late.keys():
            assert early[name] == late[name], name
    assert len(set(third.values())) == len(third)


def test_going_back(mount: Mount, directory: int) -> None:
    """A program may go back to any position that it was told, as seekdir(3) does."""
    mount.mknod(directory, b"upper", 0o100644)
    fh = mount.opendir(directory)
    found = mount.read_rest(directory, fh)
    for each, following in itertools.pairwise(found):
        assert mount.readdir(directory, fh, each.position, SMALL)[0].name == following.name


@pytest.mark.parametrize("position", [COUNT + 2, 10_000, (1 << 32) - 1])
def test_a_position_behind_everything(mount: Mount, directory: int, position: int) -> None:
    """There is nothing there, and nothing wrong with asking."""
    fh = mount.opendir(directory)
    assert mount.readdir(directory, fh, position) == []


@pytest.mark.parametrize("position", [1 << 40, (1 << 63) - 1])
def test_a_position_that_no_directory_reaches(mount: Mount, position: int) -> None:
    """A program may go to any position of a directory as it is; there is nothing there."""
    directory = mount.find("d").ino
    fh = mount.opendir(directory)
    assert mount.readdir(directory, fh, position) == []


def pass_again(mount: Mount, directory: int, change: Callable[[int], object]) -> Listed:
    """Read a changed directory, change a file, let the kernel forget it, and read it again."""
    fh = mount.opendir(directory)
    found = mount.read_rest(directory, fh)
    change(found[5].ino)
    mount.forget(found[5].ino, mount.told[found[5].ino])
    (again, *_) = mount.readdir(directory, fh, found[4].position, SMALL)
    assert again.name == found[5].name
    return again


def test_attributes_changed_during_a_pass(mount: Mount) -> None:
    """What a pass gives of a file that was forgotten meanwhile is what the file is by then."""
    body = wire.SETATTR_IN.pack(1, *[0] * 10, 0o600, *[0] * 4)
    directory = changed(mount, "d")
    again = pass_again(mount, directory, lambda ino: mount.ask(wire.SETATTR, ino, body))
    assert again.attr is not None
    assert again.attr.mode == 0o100600
    assert mount.getattr(again.ino).mode == 0o100600


def test_contents_changed_during_a_pass(mount: Mount) -> None:
    """A file that was written and forgotten during a pass has its new contents afterwards."""

    def write(ino: int) -> None:
        fh = mount.open(ino, os.O_WRONLY)
        mount.write(ino, fh, b"new contents")
        mount.release(ino, fh)

    again = pass_again(mount, changed(mount, "d"), write)
    assert again.attr is not None
    assert again.attr.size == 12
    assert mount.contents(again.ino) == b"new contents"


def test_a_removed_directory(mount: Mount) -> None:
    """A program that stands in it finds nothing."""
    ino = mount.find("empty").ino
    fh = mount.opendir(ino)
    mount.rmdir(1, b"empty")
    assert names_of(mount.read_rest(ino, fh)) == []


def test_many_passes_at_once(mount: Mount) -> None:
    """More directories are read in turns than are kept: each pass gives all it should."""
    folders = [mount.mkdir(mount.find("empty").ino, b"%d" % number).ino for number in range(40)]
    for folder in folders:
        for name in range(30):
            mount.mknod(folder, b"%02d" % name, 0o100644)
    found: dict[int, list[Listed]] = {folder: [] for folder in folders}
    for _ in range(40):
        for folder, before in found.items():
            position = before[-1].position if before else 0
            before.extend(mount.readdir(folder, 0, position, SMALL))
    for entries in found.values():
        assert sorted(names_of(entries)) == [b"%02d" % name for name in range(30)]


def test_the_upperdirs_own(mount: Mount) -> None:
    """A directory that only the upperdir has lists its own names, and its parent's number."""
    ino = mount.mkdir(mount.find("d").ino, b"made").ino
    for name in (b"c", b"a", b"b"):
        mount.mknod(ino, name, 0o100644)
    fh = mount.opendir(ino)
    found = mount.read_rest(ino, fh, 0, SMALL)
    assert sorted(names_of(found)) == [b"a", b"b", b"c"]
    assert {each.name: each.ino for each in found}[b".."] == mount.find("d").ino


def test_directories_are_synced(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed directory is brought to the disk; of one that is not there is nothing to bring."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    body = wire.FSYNC_IN.pack(0, 0, 0)
    plain = mount.find("big").ino
    assert mount.ask(wire.FSYNCDIR, plain, body) == b""
    assert synced == []
    directory = changed(mount, "d")
    assert mount.ask(wire.FSYNCDIR, directory, body) == b""
    assert synced == [(mount.upperdir / "d").stat().st_ino]


def test_volatile_mounts_sync_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what volatile means."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with mounted(tmp_path, [images.LayerBuilder()], ServerConfig("/", is_volatile=True)) as mount:
        mount.mkdir(1, b"d")
        assert mount.ask(wire.FSYNCDIR, 1, wire.FSYNC_IN.pack(0, 0, 0)) == b""
    assert synced == []


STEPS = st.lists(
    st.tuples(st.sampled_from(["unlink", "create", "read", "forget"]), st.integers(0, 30)),
    max_size=30,
)


@settings(max_examples=12)
@given(steps=STEPS, size=st.integers(SMALL, 1500))
def test_any_order_of_changes(steps: list[Any], size: int) -> None:
    """Whatever happens during a pass, a name that stays through all of it is given once."""
    layer = images.LayerBuilder().directory("d")
    for number in range(5, 25):
        layer.file(f"d/f{number:03}")
    with tempfile.TemporaryDirectory() as folder, mounted(Path(folder), [layer]) as mount:
        take(mount, steps, size)


def take(mount: Mount, steps: list[Any], size: int) -> None:
    """Take the steps between the pieces of one pass, and look at what was given."""
    directory = mount.find("d").ino
    start = set(mount.names(directory))
    stays, ever = set(start), set(start)
    fh, position, found = mount.opendir(directory), 0, []
    for kind, number in steps:
        name = b"f%03d" % number
        if kind == "read":
            piece = mount.readdir(directory, fh, position, size)
            found += names_of(piece)
            position = piece[-1].position if piece else position
        elif kind == "unlink" and mount.lookup(directory, name) is not None:
            mount.unlink(directory, name)
            stays.discard(name)
        elif kind == "create" and mount.lookup(directory, name) is None:
            mount.mknod(directory, name, 0o100644)
            ever.add(name)
        elif kind == "forget":
            for ino, lookups in [*mount.told.items()]:
                if lookups and ino != directory:
                    mount.forget(ino, lookups)
    found += names_of(mount.read_rest(directory, fh, position, size))
    assert [name for name in stays if found.count(name) != 1] == []
    assert set(found) <= ever
