"""The lock step: each operation on both sides, and the comparison after it."""

import contextlib
import itertools
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import operations as do
from lockstep.differences import does_resurrect, is_equal, is_left_out, is_lost
from lockstep.mounts import Image, KernelMount, OurMount, Overlay
from lockstep.side import Seen, Side, attempt, same_file, seen, seen_by_fd, whole

from rootless.userns.maps import Maps


@dataclass
class Pair:
    """Both mounts over one image, fresh.

    Attributes:
        folder: For mount points, upperdirs and workdirs.
        image: What lies below.
        maps: The user namespace's.
        looks: Whether objects are compared after every operation, and not at the end only: to
            look is to fill caches.
        on_disk: Whether the upperdirs are on a disk, and not in memory.
        is_ephemeral: Whether our upperdir goes with the mount: there is no second mount then.
        done: The operations so far.
    """

    folder: Path
    image: Image
    maps: Maps
    looks: bool = True
    on_disk: bool = False
    is_ephemeral: bool = False
    done: list[do.Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Mount."""
        ours, judges = (
            Overlay(
                self.folder / name, self.folder / f"{name}.d/upper", self.folder / f"{name}.d/work"
            )
            for name in ("ours", "judge")
        )
        ours.make_folders()
        judges.make_folders()
        self._mounts = (
            OurMount(ours, self.image, self.maps, is_ephemeral=self.is_ephemeral),
            KernelMount(judges, self.image),
        )
        self.ours, self.judge = Side(ours.root, is_ours=True), Side(judges.root, is_ours=False)
        self.sides = (self.ours, self.judge)
        try:
            self._mount()
        except BaseException:
            self.close()
            raise

    def _mount(self) -> None:
        for mount in self._mounts:
            mount.mount()
        if not self.ours.began_ns:
            began_ns = _tick()
            self.ours.began_ns = self.judge.began_ns = began_ns
        for side in self.sides:
            side.open_root()

    def _unmount(self) -> None:
        for side in self.sides:
            side.close()
        for mount in self._mounts:
            mount.unmount()

    def run(self, operations: Sequence[do.Operation]) -> None:
        """Do operations and compare at the end."""
        with contextlib.closing(self):
            for operation in operations:
                self.step(operation)
            self.finish()

    def step(self, operation: do.Operation) -> None:
        """Do one operation on both sides; raises AssertionError where they differ."""
        self.done.append(operation)
        match operation:
            case do.Compare():
                self._compare_all()
            case do.Remount() | do.Exchange() if self.is_ephemeral:
                self._compare_all()
            case do.Remount() | do.Exchange():
                self._unmount()
                if isinstance(operation, do.Exchange):
                    one, other = (mount.overlay for mount in self._mounts)
                    one.upper, other.upper = other.upper, one.upper
                self._mount()
                for side in self.sides:
                    side.counts_links = not self.image.has_links
                self._compare_all()
                self._compare_links()
            case _:
                self._step(operation)

    def _step(self, operation: do.Operation) -> None:
        if does_resurrect(operation, self.ours, on_disk=self.on_disk):
            return
        with self.judge.entered():
            if is_left_out(operation, self.judge):
                return
        with self.ours.entered():
            found = attempt(lambda: operation.apply(self.ours))
        with self.judge.entered():
            expected = attempt(lambda: operation.apply(self.judge))
        if is_lost(operation, expected, found):
            for side, slot in itertools.product(self.sides, operation.slots()):
                side.close_slot(slot)
            return
        if not is_equal(operation, expected, found):
            self._same("result", expected, found)
        if self.looks:
            for path in operation.paths():
                self._compare(path or ".", lambda side, path=path: _look(side, path))
            for slot in operation.slots():
                self._compare(f"slot {slot}", lambda side, slot=slot: _look_open(side, slot))

    def _compare(self, what: str, look: Callable[[Side], object]) -> None:
        views = []
        for side in self.sides:
            with side.entered(as_user=False):
                views.append(attempt(lambda side=side: look(side)))
        found, expected = views
        if isinstance(expected, Seen) and isinstance(found, Seen):
            for name, one, other in zip(Seen._fields, expected, found, strict=True):
                self._same(f"{what}: {name}", one, other)
        else:
            self._same(what, expected, found)

    def _compare_all(self) -> None:
        views = []
        for side in self.sides:
            with side.entered(as_user=False):
                views.append(whole(side))
        found, expected = views
        self._same("paths", sorted(expected), sorted(found))
        for path, item in expected.items():
            for name, one, other in zip(Seen._fields, item, found[path], strict=True):
                self._same(f"{path}: {name}", one, other)
        for slot in sorted(self.judge.fds):
            self._compare(f"slot {slot}", lambda side, slot=slot: _look_open(side, slot))

    def _compare_links(self) -> None:
        """Compare which names are one file, after a mount: overlayfs's numbers change later."""
        views = []
        for side in self.sides:
            with side.entered(as_user=False):
                views.append(same_file(whole(side)))
        self._same("names of one file", views[1], views[0])

    def _same(self, what: str, expected: object, found: object) -> None:
        if expected != found:
            last = self.done[-1] if self.done else "at the beginning"
            if what.endswith("mode") and isinstance(expected, int):
                expected, found = oct(expected), oct(found)
            raise AssertionError(f"{last}: {what}: the kernel has {expected!r}, ours {found!r}")

    def known(self) -> dict[str, bool]:
        """Return the paths that exist, with whether each is a directory."""
        found = {".": True}
        with self.judge.entered(as_user=False):
            for folder, directories, names in os.walk("."):
                for name in (*directories, *names):
                    path = os.path.join(folder, name).removeprefix("./")
                    found[path] = name in directories and not os.path.islink(path)
        return found

    def finish(self) -> None:
        """Compare all, before and after a last remount."""
        self.step(do.Compare())
        if self.is_ephemeral:
            self._unmount()
        else:
            self.step(do.Remount())

    def close(self) -> None:
        """Unmount, whatever happened."""
        for side in self.sides:
            side.close()
        for mount in self._mounts:
            mount.kill()
        shutil.rmtree(self.folder)


def _look(side: Side, path: str) -> Seen:
    return seen(side, side.at(path)[1])


def _look_open(side: Side, slot: int) -> Seen:
    return seen_by_fd(side, side.fd(slot))


def _tick() -> int:
    """Return a time that all changes so far came before, and all to come will come after.

    The kernel gives files the time of its last tick, some milliseconds ago, or a finer one.
    """
    now = time.time_ns()
    while time.clock_gettime_ns(_COARSE) <= now:
        time.sleep(0.0005)
    return now + 1


_COARSE = 5  # CLOCK_REALTIME_COARSE, which Python has no name for
