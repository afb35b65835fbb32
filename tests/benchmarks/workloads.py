"""What is measured: each workload does its work on a mounted contender, checks it, gives seconds.

A workload returns a value for each of its rows: seconds, but for what says MiB. What did not do
all of its work raises: the table shows why in place of a number.
"""

import os
import random
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

from contenders import Mounted
from synthetic import PAGE, small_size

from rootless.errors import RootlessError

_MODULES = """
abc argparse ast base64 bisect calendar configparser contextlib copy csv datetime dis email enum
filecmp fnmatch functools getopt glob hashlib heapq inspect ipaddress locale logging optparse os
pathlib pickle pkgutil platform random re selectors socket ssl string subprocess tempfile typing
""".split()  # noqa: SIM905 - forty words
_CHROOT = shutil.which("chroot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "chroot"
_FILES_IN_A_FOLDER = 100
# xargs gives cat the files in the list's order; the shell is there for the pipe
_READ_LISTED = ("sh", "-c", 'xargs -0 -a "$1" cat | wc -c', "sh")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything.

    Attributes:
        files: In the images of small files.
        created: Files to be created.
        unpacked: Files in the archive to be unpacked.
        removed: Entries below the directory to be removed.
        entries: In the image that the server's memory is measured with.
        random_file: Bytes of the file for random reads and for copy-up.
        large_file: Bytes of the file for sequential reads.
        random_reads: How many.
    """

    files: int = 39_000
    created: int = 10_000
    unpacked: int = 5_000
    removed: int = 20_000
    entries: int = 100_000
    random_file: int = 256 << 20
    large_file: int = 1 << 30
    random_reads: int = 20_000

    def tenth(self) -> "Sizes":
        """Return sizes for trying out."""
        values = {name: getattr(self, name) // 10 for name in self.__slots__}
        for name in ("random_file", "large_file"):
            values[name] -= values[name] % PAGE
        return Sizes(**values)


def walk(mounted: Mounted, _: Sizes) -> dict[str, float]:
    """Find everything and stat it, cold and again."""
    return {"walk, cold": _walk(mounted), "walk, warm": _walk(mounted)}


def read(mounted: Mounted, _: Sizes) -> dict[str, float]:
    """Read all files after a walk, in its order, cold and again."""
    _walk(mounted)
    return {
        "read all, cold": _read_all(mounted, clients=1),
        "read all, warm": _read_all(mounted, clients=1),
    }


def clients(number: int) -> Callable[[Mounted, Sizes], dict[str, float]]:
    """Return a workload of that many processes which read a part of the files each."""

    def workload(mounted: Mounted, _: Sizes) -> dict[str, float]:
        _walk(mounted)
        return {f"read all, cold, clients: {number}": _read_all(mounted, clients=number)}

    return workload


def server(mounted: Mounted, _: Sizes) -> dict[str, float]:
    """Walk a large image and ask what that cost the FUSE server."""
    if not mounted.server:
        _walk(mounted)
        return {}
    before = _cpu_seconds(mounted.server)
    _walk(mounted)
    spent = _cpu_seconds(mounted.server) - before
    return {"server CPU, walk": spent, "server memory, peak (MiB)": _peak_memory(mounted.server)}


def random_reads(mounted: Mounted, sizes: Sizes) -> dict[str, float]:
    """Read pages of a file in random order, never the same twice."""
    pages = random.Random(4).sample(range(sizes.random_file // PAGE), sizes.random_reads)
    with _opened(mounted.root / "random") as fd, Stopwatch() as watch:
        for page in pages:
            _check_page(os.pread(fd, PAGE, page * PAGE), page, PAGE)
    return {"4 KiB random reads": watch.seconds}


def sequential(mounted: Mounted, sizes: Sizes) -> dict[str, float]:
    """Read a large file from its beginning to its end, cold and again."""
    times = []
    for _ in range(2):
        with _opened(mounted.root / "large") as fd, Stopwatch() as watch:
            _read_through(fd, sizes.large_file)
        times.append(watch.seconds)
    return {"sequential read, cold": times[0], "sequential read, warm": times[1]}


def python(mounted: Mounted, sizes: Sizes) -> dict[str, float]:
    """Start the image's Python with forty imports, cold and again."""
    count = f"print(len(sys.modules.keys() & {set(_MODULES)!r}))"
    code = f"import sys, {', '.join(_MODULES)}; {count}"
    times = []
    for _ in range(2):
        with Stopwatch() as watch:
            said = _run([_CHROOT, mounted.root, "/usr/bin/python3", "-c", code], subprocess.PIPE)
        _require("modules imported", int(said), len(_MODULES))
        times.append(watch.seconds)
    return {"python3 with 40 imports, cold": times[0], "python3 with 40 imports, warm": times[1]}


def create(mounted: Mounted, sizes: Sizes) -> dict[str, float]:
    """Make new directories and small files in them."""
    numbers = random.Random(sizes.created)
    contents = [b"x" * small_size(numbers) for _ in range(sizes.created)]
    with Stopwatch() as watch:
        for number, content in enumerate(contents):
            folder = f"{mounted.root}/created{number // _FILES_IN_A_FOLDER:04}"
            if number % _FILES_IN_A_FOLDER == 0:
                os.mkdir(folder)
            with open(f"{folder}/{number:06}", "xb", buffering=0) as file:
                file.write(content)
    _require("bytes created", _bytes_below(mounted.upper), sum(map(len, contents)))
    return {"create small files": watch.seconds}


def untar(mounted: Mounted, sizes: Sizes) -> dict[str, float]:
    """Unpack an archive of small files with tar(1), as root: owners, modes and times are set."""
    archive = mounted.scratch / "archive.tar"
    wanted = _write_archive(archive, sizes.unpacked)
    target = mounted.root / "opt"
    target.mkdir()
    with Stopwatch() as watch:
        _run(["tar", "-x", "-f", archive, "-C", target])
    _require("bytes unpacked", _bytes_below(target), wanted)
    return {"untar": watch.seconds}


def copy_up(mounted: Mounted, sizes: Sizes) -> dict[str, float]:
    """Append one byte to a large file of the lower."""
    path = mounted.root / "random"
    with Stopwatch() as watch, path.open("ab", buffering=0) as file:
        file.write(b"x")
    for each in (path, mounted.upper / "random"):
        _require(f"size of {each.name}", each.stat().st_size, sizes.random_file + 1)
    with _opened(path) as fd:
        _read_through(fd, sizes.random_file)
    (mounted.upper / "random").unlink()  # else its pages are written back during the next turns
    return {"copy-up": watch.seconds}


def remove(mounted: Mounted, _: Sizes) -> dict[str, float]:
    """Remove a directory of the lower and all below it with rm(1)."""
    target = mounted.root / "remove"
    with Stopwatch() as watch:
        _run(["rm", "-r", "-f", target])
    _require("entries of the root", os.listdir(mounted.root), ["keep"])
    return {"rm -rf": watch.seconds}


class Stopwatch:
    """Measures the seconds of its block."""

    seconds = 0.0

    def __enter__(self) -> Self:
        self._begin = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._begin


def _walk(mounted: Mounted) -> float:
    """Walk everything once; keep the list of files, in the walk's order."""
    everything = ["find", mounted.root, "-mindepth", "1", "!", "-type", "c", "!", "-type", "b"]
    lines = os.memfd_create("walk")
    with Stopwatch() as watch:
        words = [*everything, "-printf", r"%y %m %U %G %s %T@ %p\n"]
        _run(words, lines)
    os.lseek(lines, 0, os.SEEK_SET)
    with open(lines, "rb") as file:
        found = [line.rstrip(b"\n") for line in file]
    _require("entries found", len(found), mounted.image.entries)
    paths = [line.split(b" ", 6)[6] for line in found if line.startswith(b"f")]
    _list(mounted).write_bytes(b"\0".join(paths))
    return watch.seconds


def _list(mounted: Mounted) -> Path:
    return mounted.scratch / "files"


def _read_all(mounted: Mounted, clients: int) -> float:
    """Let some processes read a part of the listed files each; return the seconds of all."""
    paths = _list(mounted).read_bytes().split(b"\0")
    share = -(-len(paths) // clients)
    parts = [mounted.scratch / f"part{number}" for number in range(clients)]
    for number, part in enumerate(parts):
        part.write_bytes(b"\0".join(paths[number * share : (number + 1) * share]))
    with Stopwatch() as watch:
        readers = [
            subprocess.Popen([*_READ_LISTED, part], stdout=subprocess.PIPE) for part in parts
        ]
        said = [reader.communicate()[0] for reader in readers]
    _require("bytes read", sum(map(int, said)), mounted.image.size)
    return watch.seconds


def _read_through(fd: int, size: int) -> None:
    """Read a file of numbered pages from its beginning."""
    buffer = bytearray(1 << 20)
    at = 0
    while at < size:
        length = os.readv(fd, [buffer])
        _check_page(buffer, at // PAGE, length)
        at += length
    _require("bytes read", at - at % PAGE, size)


def _check_page(content: bytes | bytearray, number: int, length: int) -> None:
    if length < PAGE or int.from_bytes(content[:8], "little") != number:
        raise RootlessError(f"page {number} is not what it was")


def _write_archive(path: Path, files: int) -> int:
    """Write a tar of small files, ten in a folder; return their bytes."""
    numbers = random.Random(files)
    total = 0
    with tarfile.open(path, "w") as archive:
        for number in range(files):
            member = tarfile.TarInfo(f"package/d{number // 10:04}/file{number:05}")
            member.size, member.mtime = small_size(numbers), number
            archive.addfile(member, BytesIO(b"x" * member.size))
            total += member.size
    return total


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


def _run(words: Sequence[str | Path], stdout: int = subprocess.DEVNULL) -> str:
    """Run a program and return what it said, where that goes to a pipe."""
    done = subprocess.run(
        words, stdout=stdout, stderr=subprocess.PIPE, text=True, errors="replace", check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise RootlessError(f"{words[0]}: status {done.returncode}: {last}")
    return done.stdout or ""


def _require(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise RootlessError(f"{what}: {found}, not {wanted}")


def _bytes_below(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size
        for parent, _, names in os.walk(folder)
        for name in names
    )


def _cpu_seconds(pid: int) -> float:
    """Return a process's CPU time, user and system (proc(5), stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
