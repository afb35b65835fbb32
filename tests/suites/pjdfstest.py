"""Run pjdfstest (github.com/pjd/pjdfstest) over both drivers and the file systems to compare with.

Build the suite anywhere that an ordinary user can read:

    git clone https://github.com/pjd/pjdfstest && cd pjdfstest
    autoreconf -ifs && ./configure && make pjdfstest

and as an ordinary user with sub-IDs:

    python tests/suites/pjdfstest.py /path/to/pjdfstest --on fuse hybrid native

It prints a line for each file with its count on each subject, then the assertions that fail, with
how often they do so on each, then the totals of each directory. Exit status 1 where one of ours
fails an assertion that all the others pass.

No user namespace may make block and character devices (mknod(2), EPERM), and most files go through
all kinds of file in one loop: what follows such an mknod fails as well, wherever it is run. With
`--no-devices` the two kinds are taken out of the loops, so that everything else must pass.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import images
from suites.subjects import OURS, SUBJECTS, Subject, run_on

_LINE = re.compile(r"^(ok|not ok) (\d+)(.*)$")
_NAME = re.compile(r"(pjdfstest_)?[0-9a-f]{32,}|\b[0-9]{6,}\b")
_GOT = re.compile(r", got .*")
_LOOP = re.compile(r"^(\s*for type\w* in\b)(.*)$", re.MULTILINE)
_TIMEOUT = 300


@dataclass(slots=True)
class Outcome:
    """What one file of the suite said.

    Attributes:
        passed: How many assertions held.
        failed: Number and text of each that failed.
    """

    passed: int = 0
    failed: dict[int, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many assertions were tried."""
        return self.passed + len(self.failed)


Outcomes = dict[str, Outcome]


def run_suite(suite: Path, files: Sequence[str], subject: Subject) -> Outcomes:
    """Run files of the suite in a directory of the layer."""
    os.umask(0o022)
    where = subject.root / "srv"
    return {name: run_file(suite / "tests" / name, where) for name in files}


def run_file(file: Path, where: Path) -> Outcome:
    """Run one file; what it leaves behind is the next one's trouble, as with prove(1)."""
    done = subprocess.run(
        ["sh", file],
        cwd=where,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_TIMEOUT,
        check=False,
    )
    outcome = Outcome()
    for line in done.stdout.splitlines():
        found = _LINE.match(line)
        if not found:
            continue
        word, number, rest = found.groups()
        if word == "ok" or "# TODO" in rest:
            outcome.passed += 1
        else:
            outcome.failed[int(number)] = _NAME.sub("NAME", rest.strip(" -"))
    return outcome


def run_subject(suite: Path, files: Sequence[str], name: str) -> Outcomes:
    """Run files of the suite on a subject."""
    layer = images.LayerBuilder().directory("srv").file("srv/lower", b"of the layer")
    with tempfile.TemporaryDirectory(prefix="rootless-suite-", dir="/var/tmp") as folder:
        outcomes: Outcomes = run_on(name, Path(folder), layer, partial(run_suite, suite, files))
    return outcomes


def print_files(results: Mapping[str, Outcomes], files: Sequence[str]) -> None:
    """Print each file's count on each subject."""
    print(f"{'file':28}", *(f"{name:>15}" for name in results))
    for file in files:
        cells = [results[name][file] for name in results]
        print(f"{file:28}", *(f"{f'{each.passed}/{each.total}':>15}" for each in cells))


def failures(outcome: Outcome) -> Counter[str]:
    """Count the failed assertions by what was expected; numbers differ between file systems."""
    return Counter(_GOT.sub("", text) for text in outcome.failed.values())


def print_failures(results: Mapping[str, Outcomes], files: Sequence[str]) -> None:
    """Print what fails somewhere, and how often on each."""
    for file in files:
        counts = {name: failures(outcomes[file]) for name, outcomes in results.items()}
        for text in sorted(set().union(*counts.values())):
            where = ", ".join(f"{name} {count[text]}" for name, count in counts.items())
            print(f"{file}: {where}: {text}")


def print_directories(results: Mapping[str, Outcomes], files: Sequence[str]) -> None:
    """Print a Markdown table: of each directory's assertions, how many passed."""
    print(f"\n| directory | {' | '.join(results)} |")
    print(f"| --- {'| --- ' * len(results)}|")
    directories = sorted({file.partition("/")[0] for file in files})
    for directory in [*directories, ""]:
        of_it = [file for file in files if file.startswith(directory)]
        cells = [
            f"{sum(each[file].passed for file in of_it)}/{sum(each[file].total for file in of_it)}"
            for each in results.values()
        ]
        print(f"| {directory or 'all'} | {' | '.join(cells)} |")


def ours_alone(results: Mapping[str, Outcomes]) -> list[str]:
    """Return the assertions that one of ours fails and all of the others pass."""
    others = [outcomes for name, outcomes in results.items() if name not in OURS]
    found = []
    for name in OURS:
        for file, outcome in results.get(name, {}).items():
            elsewhere = Counter[str]()
            for outcomes in others:
                elsewhere |= failures(outcomes[file])
            found += [f"{file}: {name} alone: {each}" for each in failures(outcome) - elsewhere]
    return found


def without_devices(suite: Path, folder: Path) -> Path:
    """Return a copy of the suite whose loops leave out block and character devices."""
    shutil.copytree(suite / "tests", folder / "tests")
    (folder / "pjdfstest").symlink_to(suite / "pjdfstest")
    for file in (folder / "tests").glob("*/*.t"):
        text = _LOOP.sub(lambda m: m[1] + re.sub(r"\b(block|char)\b", "", m[2]), file.read_text())
        file.write_text(text)
    return folder


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("suite", type=Path, help="the built suite")
    parser.add_argument("--on", nargs="+", choices=SUBJECTS, default=SUBJECTS)
    parser.add_argument("--only", default="", help="only files whose name begins so: chmod/")
    parser.add_argument("--no-devices", action="store_true", help="no block, no character devices")
    options = parser.parse_args()
    suite = options.suite.resolve()
    found = sorted((suite / "tests").glob("*/*.t"))
    files = [str(path.relative_to(suite / "tests")) for path in found]
    files = [name for name in files if name.startswith(options.only)]
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(len(options.on)) as pool:
        if options.no_devices:
            suite = without_devices(suite, Path(folder))
            Path(folder).chmod(0o755)
        # Side by side, as most of the time the suite sleeps.
        outcomes = pool.map(partial(run_subject, suite, files), options.on)
        results = dict(zip(options.on, outcomes, strict=True))
    print_files(results, files)
    print_failures(results, files)
    print_directories(results, files)
    alone = ours_alone(results)
    print("", *alone, sep="\n")
    return int(bool(alone))


if __name__ == "__main__":
    sys.exit(main())
