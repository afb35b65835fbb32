"""Run fsx (the file system exerciser, xfstests' ltp/fsx.c) over both drivers.

Build it anywhere that an ordinary user can read and give its path:

    python tests/suites/fsx.py /path/to/fsx --operations 1000000 --seeds 1 2 3 --on fuse hybrid

Each seed runs on a new file, and on a file of the layer, whose contents must survive its copy-up.
Reads, writes, truncates, mapped reads and writes, copies between ranges, and what else the file
system answers; fsx itself leaves out what is refused. What it checks is that the file always holds
what was last written. With `--flush` every operation also goes to the disk and out of the page
cache (`-f`), so that each read asks the file system. (Its `-c`, which closes and opens the file,
needs the host's root.)
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import images
from suites.subjects import OURS, SUBJECTS, Subject, run_on

_SIZE = 256 << 10
_LAST_LINES = 12
# -k keeps what the file holds; after insertions (-I) and copies (-E) of ranges fsx then expects
# wrong contents, on ext4 too.
_FILES = {"new": (), "lower": ("-k", "-I", "-E")}


def exercise(command: Sequence[str], subject: Subject) -> list[str]:
    """Run fsx on both files; return a line for each, and what it said where it failed."""
    lines = []
    for name, options in _FILES.items():
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as logs:
            done = subprocess.run(
                [*command, *options, "-P", logs, subject.root / "srv" / name],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        verdict = "passed" if done.returncode == 0 else f"FAILED, status {done.returncode}"
        lines.append(f"{name} file: {verdict} in {time.monotonic() - begin:.0f} s")
        if done.returncode:
            lines += (done.stderr + done.stdout).strip().splitlines()[-_LAST_LINES:]
    return lines


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("fsx", type=Path, help="the built program")
    parser.add_argument("--on", nargs="+", choices=SUBJECTS, default=OURS)
    parser.add_argument("--in", dest="folder", default="/var/tmp", help="on which file system")
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--flush", action="store_true")
    options = parser.parse_args()
    command = [str(options.fsx.resolve()), "-q", "-N", str(options.operations)]
    command += ["-f"] if options.flush else []
    failed = False
    for seed in options.seeds:
        content = random.Random(seed).randbytes(_SIZE)
        layer = images.LayerBuilder().directory("srv").file("srv/lower", content)
        for name in options.on:
            body = partial(exercise, [*command, "-S", str(seed)])
            with tempfile.TemporaryDirectory(
                prefix="rootless-suite-", dir=options.folder
            ) as folder:
                lines = run_on(name, Path(folder), layer, body)
            failed |= any("FAILED" in line for line in lines)
            heading = f"{name}, seed {seed}, {options.operations} operations"
            print(*(f"{heading}: {line}" for line in lines), sep="\n", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
