"""Run fsstress (xfstests' ltp/fsstress.c) over both drivers, and compare with a native tree.

Build it anywhere that an ordinary user can read and give its path:

    python tests/suites/fsstress.py /path/to/fsstress --operations 20000 --seeds 1 2 3

fsstress makes the same operations for the same seed, as long as each has the same result. So every
operation's result is compared with that of the same one on the host's file system, and so are the
trees that are left: names, kinds, modes, owners, sizes, contents, links, targets, attributes. Both
drivers and kernel overlayfs must then show the same of the upperdir. First over an empty directory
of the layer; then with another seed over a layer with the tree that was left, whose names meet the
new ones.
"""

import argparse
import hashlib
import itertools
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import images
import listing
from suites.subjects import OURS, SUBJECTS, Subject, run_in_turn

_OFTEN = {
    6: "creat rename write",
    4: "link mkdir mwrite setfattr truncate writev",
    3: "chown copyrange dwrite read rexchange rnoreplace symlink unlink",
    2: "attr_set awrite dread fallocate getfattr listfattr mread punch readv removefattr rmdir",
    1: "aread attr_remove fdatasync fsync getdents readlink splice stat zero",
}
"""What both can do (no devices; FUSE neither collapses nor inserts ranges), by how often it is."""

_BLOCKS = re.compile(r"(\[-1 \d+ \d+ \d+) \d+ (\d+\])")

_READERS = (*OURS, "overlayfs")
"""What the upperdir is then mounted by, and must show the same."""

_SHOWN = 8
_TAR = ("tar", "-c", "--sparse", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-C")


@dataclass(frozen=True, slots=True)
class Left:
    """What there is after a run.

    Attributes:
        tree: All that one can see, but contents.
        contents: Of the files, as digests.
        said: The log of each process: a line for each operation, with its result.
        tar: The native tree as a layer.
        seconds: How long it took.
    """

    tree: listing.Listing
    contents: dict[bytes, bytes]
    said: tuple[tuple[str, ...], ...] = ()
    tar: bytes = b""
    seconds: float = 0


def stress(command: Sequence[str], processes: int, subject: Subject) -> Left:
    """Run fsstress in a directory of the layer."""
    place = subject.root / "srv"
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as logs:
        log = Path(logs) / "log"
        words = [*command, "-p", str(processes), "-o", str(log), "-d", str(place)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begin
        assert done.returncode == 0, done.stderr
        said = tuple(
            tuple(_BLOCKS.sub(r"\1 \2", log.with_name(f"log.{each}").read_text()).splitlines())
            for each in range(processes)
        )
    tar = b""
    if subject.name == "native":
        words = [*_TAR, str(subject.root), "srv"]
        tar = subprocess.run(words, capture_output=True, check=True).stdout
    left = look(subject)
    return Left(left.tree, left.contents, said, tar, seconds)


def look(subject: Subject) -> Left:
    """Return what is there."""
    place = os.fsencode(subject.root / "srv")
    tree = listing.list_folder(place)
    contents = {}
    for path, item in tree.items():
        if stat.S_ISREG(item.mode):
            with open(os.path.join(place, path), "rb") as file:
                contents[path] = hashlib.file_digest(file, "sha256").digest()
    return Left(tree, contents)


def compare(expected: Left, found: Left) -> list[str]:
    """Return a line for each difference between two runs, or between what is there."""
    lines = []
    for number, (left, right) in enumerate(zip(expected.said, found.said, strict=False)):
        pairs = enumerate(itertools.zip_longest(left, right))
        unequal = next((f"{n}: {a!r}, {b!r}" for n, (a, b) in pairs if a != b), None)
        if unequal is not None:
            lines.append(f"process {number}, line {unequal}")
    lines += listing.differences(
        expected.tree, found.tree, is_ignored=lambda _path, field: field == "mtime_ns"
    )
    for path in expected.contents.keys() & found.contents.keys():
        if expected.contents[path] != found.contents[path]:
            lines.append(f"{path!r}: other contents")
    return lines


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("fsstress", type=Path, help="the built program")
    parser.add_argument("--on", nargs="+", choices=SUBJECTS, default=OURS)
    parser.add_argument("--in", dest="folder", default="/var/tmp", help="on which file system")
    parser.add_argument("--operations", type=int, default=5000, help="of each process")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    frequencies = ",".join(f"{name}={n}" for n, names in _OFTEN.items() for name in names.split())
    command = [str(options.fsstress.resolve()), "-z", "-f", frequencies, "-m", "16", "-v", "-V"]
    command += ["-n", str(options.operations)]

    def run(name: str, layer: images.Layer, seed: int) -> list[Left]:
        body = partial(stress, [*command, "-s", str(seed)], options.processes)
        visits = [(name, body), *((other, look) for other in _READERS if name != "native")]
        with tempfile.TemporaryDirectory(prefix="rootless-suite-", dir=options.folder) as folder:
            return run_in_turn(Path(folder), layer, visits)

    failed = False
    for seed in options.seeds:
        layer: images.Layer = images.LayerBuilder().directory("srv")
        for step, each in enumerate((seed, seed + 1_000_000)):
            native = run("native", layer, each)[0]
            for name in options.on:
                left, *shown = run(name, layer, each)
                lines = compare(native, left)
                for reader, again in zip(_READERS, shown, strict=True):
                    lines += [f"shown by {reader}: {line}" for line in compare(left, again)]
                over = "a tree of the layer" if step else "an empty directory"
                verdict = f"FAILED, {len(lines)} differences" if lines else "equal"
                print(
                    f"{name}, seed {each}, over {over}: {sum(map(len, left.said))} lines of log, "
                    f"{len(left.tree)} objects: {verdict}; {left.seconds:.0f} s, "
                    f"native {native.seconds:.0f} s",
                    *lines[:_SHOWN],
                    sep="\n",
                    flush=True,
                )
                failed |= bool(lines)
            layer = native.tar
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
