"""Where the lock step runs: a process in namespaces of its own, and in it a file system for it."""

import os
import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lockstep.lowers import lower_layers
from lockstep.mounts import Image, make_image
from lockstep.pair import Pair

from rootless.linux import mount_api
from rootless.linux.namespaces import CLONE_NEWNS, unshare
from rootless.userns.create import run_inside
from rootless.userns.maps import Maps


@dataclass
class Bench:
    """Gives pairs of mounts, over images that are made once."""

    folder: Path
    maps: Maps
    on_disk: bool
    is_ephemeral: bool = False
    images: dict[int, Image] = field(default_factory=dict)
    pairs: int = 0

    def pair(self, number: int, *, looks: bool = True) -> Pair:
        """Mount both over an image."""
        if number not in self.images:
            layers = lower_layers(number, single_id=self.maps.single)
            self.images[number] = make_image(self.folder / f"image{number}", layers)
        self.pairs += 1
        return Pair(
            self.folder / f"pair{self.pairs}",
            self.images[number],
            self.maps,
            looks,
            self.on_disk,
            self.is_ephemeral,
        )


def on_bench(
    folder: Path,
    maps: Maps,
    body: Callable[[Bench], None],
    *,
    on_disk: bool,
    is_ephemeral: bool = False,
) -> None:
    """Run `body` as root of new user and mount namespaces; its failure is this function's."""
    outcome = folder / "outcome"

    def child() -> None:
        unshare(CLONE_NEWNS)
        mount_api.mount(None, "/", None, mount_api.MS_REC | mount_api.MS_PRIVATE)
        place = folder / "bench"
        place.mkdir()
        if not on_disk:
            mount_api.mount("bench", str(place), "tmpfs", 0, "mode=0755")
        try:
            body(Bench(place, maps, on_disk, is_ephemeral))
        except BaseException:  # noqa: BLE001 - carried over to the test's process
            outcome.write_bytes(pickle.dumps(traceback.format_exc()))
        finally:
            if on_disk:  # only the namespace's root may remove files of sub-IDs
                os.system(f"rm -rf {place}")

    run_inside(maps, child)
    if outcome.exists():
        raise AssertionError(pickle.loads(outcome.read_bytes()))
