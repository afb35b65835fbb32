"""Hard links, of the lower tree and new ones."""

import os

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def layers() -> list[images.LayerBuilder]:
    """One file with three names."""
    return [
        images.LayerBuilder()
        .directory("d")
        .file("one", b"shared")
        .hard_link("two", "one")
        .hard_link("d/three", "one")
    ]


def test_a_new_link_is_the_same_file(mounting: Mounting) -> None:
    """A link to a new file has its number; a write through one shows through the other."""

    def scenario(mount: Mount) -> None:
        (mount.root / "new").write_bytes(b"1")
        os.link(mount.root / "new", mount.root / "d/again")
        (mount.root / "d/again").write_bytes(b"changed")
        for _ in range(2):
            one, other = (mount.root / "new").stat(), (mount.root / "d/again").stat()
            assert (one.st_ino, one.st_nlink) == (other.st_ino, 2)
            assert (mount.root / "new").read_bytes() == b"changed"
            mount.remount()

    mounting.run(layers(), scenario)


def test_lower_links_stay_together(mounting: Mounting) -> None:
    """A write to one name of a lower file shows under all of them, also after a remount."""

    def scenario(mount: Mount) -> None:
        (mount.root / "two").write_bytes(b"written")
        for _ in range(2):
            for name in ("one", "two", "d/three"):
                assert (mount.root / name).read_bytes() == b"written"
                assert (mount.root / name).stat().st_nlink == 3
            assert len({(mount.root / n).stat().st_ino for n in ("one", "two", "d/three")}) == 1
            mount.remount()

    mounting.run(layers(), scenario)


def test_a_removed_name_does_not_come_back(mounting: Mounting) -> None:
    """A name that was removed before the copy-up is not linked to the copy."""

    def scenario(mount: Mount) -> None:
        (mount.root / "one").unlink()
        assert (mount.root / "two").stat().st_nlink == 2
        (mount.root / "two").write_bytes(b"written")
        for _ in range(2):
            assert not (mount.root / "one").exists()
            assert (mount.root / "d/three").read_bytes() == b"written"
            assert (mount.root / "d/three").stat().st_nlink == 2
            mount.remount()

    mounting.run(layers(), scenario)


def test_link_to_a_lower_file(mounting: Mounting) -> None:
    """A new link to a lower file is one more name of it."""

    def scenario(mount: Mount) -> None:
        os.link(mount.root / "one", mount.root / "four")
        assert (mount.root / "four").stat().st_nlink == 4
        assert (mount.root / "four").read_bytes() == b"shared"
        (mount.root / "one").unlink()
        assert (mount.root / "four").read_bytes() == b"shared"
        assert (mount.root / "two").stat().st_nlink == 3

    mounting.run(layers(), scenario)


def test_a_removed_file_lives_while_it_is_open(mounting: Mounting) -> None:
    """An open file without a name can be read, written, resized and asked for its status."""

    def scenario(mount: Mount) -> None:
        with (mount.root / "temporary").open("w+b") as file:
            file.write(b"contents")
            file.flush()
            (mount.root / "temporary").unlink()
            assert os.fstat(file.fileno()).st_nlink == 0
            os.fchmod(file.fileno(), 0o600)
            file.truncate(4)
            file.seek(0)
            assert file.read() == b"cont"
        assert os.listdir(mount.upper) == []

    mounting.run(layers(), scenario)


def test_a_removed_lower_file_lives_while_it_is_open(mounting: Mounting) -> None:
    """The same for a file of the image, changed after its removal too."""

    def scenario(mount: Mount) -> None:
        for name in ("one", "two", "d/three"):
            last = os.open(mount.root / name, os.O_RDONLY)
            (mount.root / name).unlink()
            if name != "d/three":
                os.close(last)
        assert os.pread(last, 100, 0) == b"shared"
        assert os.fstat(last).st_nlink == 0
        os.fchmod(last, 0o640)
        assert os.fstat(last).st_mode & 0o777 == 0o640
        assert os.pread(last, 100, 0) == b"shared"
        os.close(last)

    mounting.run(layers(), scenario)


def test_an_open_file_that_has_lost_one_of_its_names(mounting: Mounting) -> None:
    """A change through a descriptor whose name is gone shows under the name that is left."""

    def scenario(mount: Mount) -> None:
        fd = os.open(mount.root / "one", os.O_RDONLY)
        (mount.root / "one").unlink()
        os.fchmod(fd, 0o604)
        assert os.fstat(fd).st_nlink == 2
        os.close(fd)
        for _ in range(2):
            for name in ("two", "d/three"):
                assert (mount.root / name).read_bytes() == b"shared"
                assert (mount.root / name).stat().st_mode & 0o777 == 0o604
            mount.remount()

    mounting.run(layers(), scenario)
