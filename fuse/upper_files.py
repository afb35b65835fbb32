"""Single objects of an upperdir and its workdir, by their places.

Whatever replaces something is made in the workdir and renamed into place, so that a crash leaves
the old or the new and never a half of either. What could not be put in place is removed again.

Not every file system can exchange two names (`RENAME_EXCHANGE`: NFS cannot). Where one cannot, it
takes two renames; only a crash between them shows that.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator

from .place import Place
from .renameat2 import EXCHANGE, renameat2
from .stored_attributes import REFUSED, StoredAttributes
from .xattrs import DEFAULT_ACL

_PATH = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class UpperFiles(StoredAttributes):
    """What is done with objects that have a place.

    Args:
        workdir_fd: Descriptor of the workdir, on the upperdir's file system, used by nobody else.
        keeps_stat_in_xattr: Owner and mode go to the attribute even where they could be stored.
    """

    def __init__(self, workdir_fd: int, *, keeps_stat_in_xattr: bool = False) -> None:
        self._work_fd = workdir_fd
        self._serial = 0
        super().__init__(
            has_xattrs=self.keeps_xattrs(Place(workdir_fd, b".")),
            keeps_stat_in_xattr=keeps_stat_in_xattr,
        )
        self._clean_workdir()

    def names(self, fd: int) -> list[bytes]:
        """Return the names in a directory."""
        readable = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
        try:
            return [os.fsencode(name) for name in os.listdir(readable)]
        finally:
            os.close(readable)

    def names_by_number(self, fd: int, number: int) -> tuple[list[bytes], list[bytes]]:
        """Return the names in a directory: those of the special file of a number, and all others.

        What its entries say of themselves is enough for the first; nobody has to look at them.
        """
        of_number: list[bytes] = []
        others: list[bytes] = []
        readable = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
        try:
            with os.scandir(readable) as entries:
                for each in entries:
                    is_it = each.inode() == number and not (
                        each.is_file(follow_symlinks=False)
                        or each.is_dir(follow_symlinks=False)
                        or each.is_symlink()
                    )
                    (of_number if is_it else others).append(os.fsencode(each.name))
        finally:
            os.close(readable)
        return of_number, others

    def status(self, place: Place) -> os.stat_result | None:
        """Return the status of what is at a place; None where nothing is."""
        try:
            return os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def work_place(self, name: bytes = b"") -> Place:
        """Return an unused place in the workdir, or that of a name of one's own."""
        if name:
            return Place(self._work_fd, name)
        self._serial += 1
        while (unused := b"#%x" % self._serial) in self._stuck:
            self._serial += 1
        return Place(self._work_fd, unused)

    @contextlib.contextmanager
    def workroom(self, place: Place, *, is_inheriting: bool = False) -> Iterator[Place]:
        """Give an unused place in the workdir for what is to come to a place.

        Args:
            place: Where it will be.
            is_inheriting: What is made is to have what the default ACL of the directory there says:
                the place is then in a directory of its own with that ACL.
        """
        work = self.work_place()
        if not is_inheriting:
            yield work
            return
        os.mkdir(work.name, 0o700, dir_fd=work.fd)
        fd = -1
        try:
            acl = self.xattr(Place(place.fd, b"."), DEFAULT_ACL)
            if acl is not None:
                self.set_xattr(work, DEFAULT_ACL, acl, 0)
            fd = os.open(work.name, _PATH | os.O_DIRECTORY, dir_fd=work.fd)
            yield Place(fd, b"new")
        finally:
            if fd >= 0:
                os.close(fd)
            self.discard(work)

    @contextlib.contextmanager
    def made(self, place: Place) -> Iterator[Place]:
        """Remove what was made at a place where the block fails: on a full disk, for example."""
        try:
            yield place
        except FileExistsError:
            raise  # what is there is somebody else's
        except BaseException:
            with contextlib.suppress(OSError):
                self.discard(place)
            raise

    def make_empty_file(self, place: Place) -> None:
        """Make an empty file."""
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(place.name, flags, 0o600, dir_fd=place.fd))

    def rename(self, old: Place, new: Place) -> None:
        """Rename within the file system, replacing what is there."""
        os.rename(old.name, new.name, src_dir_fd=old.fd, dst_dir_fd=new.fd)

    def link(self, origin: Place, place: Place) -> None:
        """Give an object another name; of a symbolic link too the link itself."""
        os.link(
            origin.name,
            place.name,
            src_dir_fd=origin.fd,
            dst_dir_fd=place.fd,
            follow_symlinks=False,
        )

    def exchange(self, one: Place, other: Place) -> None:
        """Exchange two objects."""
        renameat2(one.fd, one.name, other.fd, other.name, EXCHANGE)

    def take_place(self, work: Place, place: Place) -> None:
        """Put an object where another is that rename(2) would not replace, and remove that."""
        self.swap(work, place)
        with contextlib.suppress(OSError):  # the next mount cleans the workdir
            self.discard(work)

    def swap(self, one: Place, other: Place) -> None:
        """Exchange two objects, one step after the other where the file system needs that."""
        try:
            self.exchange(one, other)
        except OSError as error:
            if error.errno not in REFUSED:
                raise
        else:
            return
        aside = self.work_place()
        self.rename(other, aside)
        try:
            self.rename(one, other)
        except BaseException:
            self.rename(aside, other)
            raise
        self.rename(aside, one)

    def clear(self, place: Place) -> None:
        """Remove the whiteouts in a directory that shows nothing; it must be opaque by now."""
        fd = os.open(place.name, _PATH | os.O_DIRECTORY, dir_fd=place.fd)
        try:
            for name in self.names(fd):
                os.unlink(name, dir_fd=fd)
        finally:
            os.close(fd)

    def remove(self, place: Place) -> None:
        """Remove an object, with the whiteouts in it if it is a directory."""
        status = os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            self.clear(place)
            os.rmdir(place.name, dir_fd=place.fd)
        else:
            os.unlink(place.name, dir_fd=place.fd)

    def discard(self, place: Place) -> None:
        """Remove an object if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self.remove(place)

    def _clean_workdir(self) -> None:
        """Remove what a server that was killed left in the workdir; note what cannot be now."""
        for name in self.names(self._work_fd):
            if not name.startswith(b"#"):
                continue
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=self._work_fd)
                continue
            shutil.rmtree(name, dir_fd=self._work_fd, ignore_errors=True)
        self._stuck = {name for name in self.names(self._work_fd) if name.startswith(b"#")}
