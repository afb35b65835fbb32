"""How often a run touches its pack: what a thousand nodes ask of one file server.

Counted by strace(1) on the file alone, in the runner and in the FUSE server. docs/hpc.md states
these numbers.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from executable import Rootless

from fuse.pack_file import Kind, PackFile

pytestmark = pytest.mark.needs_fuse
_CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += ")
_READ = re.compile(r"pread64\(.*, (\d+)\) += |preadv2\(.*, (\d+), 0\) += |splice\(\d+, \[(\d+)\]")


@dataclass(frozen=True)
class Calls:
    """System calls on a pack.

    Attributes:
        opens: open(2), in all its forms.
        stats: fstat(2), in all its forms.
        indexes: Reads of the front, the tree and the chunk table.
        contents: Reads of the layers.
        others: What should not be: locks, writes, listings.
    """

    opens: int
    stats: int
    indexes: int
    contents: int
    others: tuple[str, ...]


def _calls(rootless: Rootless, pack: Path, trace: Path, *command: str) -> Calls:
    """Count the system calls on a pack during a run."""
    done = subprocess.run(
        [
            *("strace", "-f", "-qq", "-e", "signal=none", "-o", trace, "-P", pack),
            # strace makes set-user-ID programs powerless: the map is one's own ID
            *rootless.command("run", "--userns", "single", pack, *command),
        ],
        env={**rootless.home.environ, "ROOTLESS_HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with pack.open("rb") as file:
        front = PackFile(file.fileno(), pack)
    first = min(
        each.offset for each in front.sections if each.kind in (Kind.TREE, Kind.CHUNK_TABLE)
    )
    opens = stats = indexes = contents = 0
    others = []
    for line in trace.read_text().splitlines():
        call = _CALL.match(line)
        name = "" if call is None else call[1]
        read = _READ.search(line)
        if read is not None:
            offset = int(read[1] or read[2] or read[3])
            is_index = offset == 0 or offset >= first
            indexes, contents = indexes + is_index, contents + (not is_index)
        elif name in ("open", "openat"):
            opens += 1
        elif name in ("newfstatat", "fstat", "statx", "stat", "lstat"):
            stats += 1
        elif name != "close":
            others.append(line)
    return Calls(opens, stats, indexes, contents, tuple(others))


def test_operations(pack: Path, tmp_path: Path, rootless: Rootless) -> None:
    """A run opens its pack thrice and reads its indexes at once; a file is read as it is asked."""
    is_coded = pack.suffix == ".image"
    one = _calls(rootless, pack, tmp_path / "one", "/bin/sh", "-c", ":")
    script = "read line </data/kept; read line </data/kept"
    two = _calls(rootless, pack, tmp_path / "two", "/bin/sh", "-c", script)
    assert one.others == two.others == ()
    assert (one.opens, one.stats) == (two.opens, two.stats) == ((4, 5) if is_coded else (3, 4))
    assert one.indexes == two.indexes == (8 if is_coded else 6)
    # the shell, its libraries: as the kernel asks for their pages, or a chunk of 256 KiB each
    assert 2 <= one.contents <= (12 if is_coded else 40)
    assert one.contents < two.contents <= one.contents + 3
