"""Run the validation programs of opencontainers/runtime-tools over our OCI runtime, and others.

Take a checkout of github.com/opencontainers/runtime-tools that an ordinary user can read; Go builds
it offline, all that it needs is vendored. As an ordinary user with sub-IDs:

    python tests/suites/runtime_tools.py /path/to/runtime-tools --runtimes rootless-runtime crun

The programs are run in two ways: `user`, as that user himself, and `root`, as root of a user
namespace with his sub-IDs, which is how podman runs a runtime. Their containers have no user
namespace in config.json, so not every runtime can do anything for `user`.

It prints a Markdown table of the assertions passed, of those tried, then each that failed and what
a program said that gave up. Exit status 1 where the first runtime fails an assertion that
one of the others passes in the same way.

Debian 12's crun 1.8 knows configurations up to version 1.0 only, so it needs a checkout of before
September 2023 (e931285), which also is what Debian 12's Go 1.19 can build. It also refuses to work
where both layouts of cgroups are mounted; root makes a namespace without the second one:

    unshare -m sh -c 'umount /sys/fs/cgroup/unified; exec runuser -u USER -- python …'
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

_WAYS: Mapping[str, Sequence[str]] = {
    "user": (),
    "root": ("unshare", "--user", "--map-root-user", "--map-auto", "--mount", "--"),
}
_LINE = re.compile(r"^(ok|not ok) \d+\s*(.*)$")
_BLOCK = re.compile(r"^  ---$.*?^  \.\.\.$\n", re.MULTILINE | re.DOTALL)
_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|ocitest\d+|\b\d{3,}\b")
_TIMEOUT = 300


@dataclass(slots=True)
class Outcome:
    """What one program said.

    Attributes:
        passed: The texts of the assertions that held.
        failed: The texts of those that did not.
        skipped: How many the program left out by itself.
        status: Its exit status, not 0 where it gave up.
        said: The last lines of its stderr.
    """

    passed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    status: int = 0
    said: str = ""

    @property
    def tried(self) -> int:
        """How many assertions were tried."""
        return self.passed.total() + self.failed.total()

    @property
    def complete(self) -> bool:
        """Nothing failed, and the program came to its end."""
        return not self.status and not self.failed

    def cell(self) -> str:
        """Return it in a few letters."""
        if self.complete and not self.tried:
            return "skipped"
        counts = f"{self.passed.total()}/{self.tried}"
        return counts if not self.status else f"{counts}, gave up"


@dataclass(frozen=True, slots=True)
class Subject:
    """A runtime in one of the ways.

    Attributes:
        runtime: The name it is shown by.
        program: Its absolute path.
        way: A key of _WAYS.
    """

    runtime: str
    program: str
    way: str

    def __str__(self) -> str:
        return f"{self.runtime}, {self.way}"


def build(checkout: Path, folder: Path) -> list[str]:
    """Build what the programs need into a folder; return their names."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    environ = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=vendor -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOCACHE": str(folder / "cache"),
    }
    static = ["go", "build", "-tags", "netgo osusergo", "-o", f"{folder}/runtimetest"]
    subprocess.run([*static, "./cmd/runtimetest"], cwd=checkout, env=environ, check=True)
    programs = ["go", "build", "-o", f"{folder}/bin/", "./validation/..."]
    subprocess.run(programs, cwd=checkout, env=environ, check=True)
    for archive in checkout.glob("rootfs-*.tar.gz"):  # where the programs look for it
        shutil.copyfile(archive, folder / archive.name)
    return sorted(os.listdir(folder / "bin"))


def run_program(built: Path, name: str, subject: Subject) -> Outcome:
    """Run one program; whatever containers it leaves behind are deleted."""
    wrapper = _WAYS[subject.way]
    with tempfile.TemporaryDirectory(prefix="rootless-suite-", dir="/var/tmp") as made:
        folder = Path(made)
        folder.chmod(0o755)
        environ = {
            "HOME": os.environ["HOME"],
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "RUNTIME": subject.program,
            "TMPDIR": made,
            "XDG_RUNTIME_DIR": str(folder / "run"),
        }
        (folder / "run").mkdir(mode=0o700)

        def run(*words: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [*wrapper, *words],
                cwd=built,
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )

        done = run("timeout", str(_TIMEOUT), str(built / "bin" / name))
        for container in run(subject.program, "list", "--quiet").stdout.split():
            run(subject.program, "delete", "--force", container)
        remove = ["find", made, "-mindepth", "1", "-delete"]  # some files are sub-IDs' ones
        subprocess.run([*_WAYS["root"], *remove], capture_output=True, check=False)
    return read(done)


def read(done: "subprocess.CompletedProcess[str]") -> Outcome:
    """Read what a program printed (testanything.org).

    Some programs assert nothing: they say nothing where all is well, and else what is wrong, in a
    diagnostic.
    """
    outcome = Outcome(status=done.returncode)
    complaints = []
    for line in _BLOCK.sub(_as_one_line, done.stdout).splitlines():
        found = _LINE.match(line)
        if found:
            word, text = found.groups()
            text = _CHANGING.sub("N", text.removeprefix("- "))
            if text.startswith("# SKIP"):
                outcome.skipped += 1
            else:
                (outcome.passed if word == "ok" else outcome.failed)[text] += 1
        elif line.startswith("  ---") and '"error":' in line:
            text = line.partition('"error":')[2].partition("Refer to")[0]
            complaints.append(_CHANGING.sub("N", text.strip(' }.\\n"')))
    if not outcome.status and not outcome.tried and not outcome.skipped:
        outcome.failed.update(complaints)
        outcome.passed["nothing to complain of"] = int(not complaints)
    outcome.said = " | ".join(line for line in done.stderr.splitlines() if line.strip())[-400:]
    return outcome


def _as_one_line(block: "re.Match[str]") -> str:
    return " ".join(block[0].split("\n")) + "\n"


Outcomes = Mapping[Subject, Mapping[str, Outcome]]


def print_table(outcomes: Outcomes, programs: Sequence[str]) -> None:
    """Print each program's counts for each subject."""
    print(f"| program | {' | '.join(map(str, outcomes))} |")
    print(f"| --- {'| --- ' * len(outcomes)}|")
    for program in programs:
        cells = [each[program].cell() for each in outcomes.values()]
        print(f"| {program} | {' | '.join(cells)} |")
    cells = []
    for each in outcomes.values():
        passed = sum(outcome.passed.total() for outcome in each.values())
        failed = sum(outcome.failed.total() for outcome in each.values())
        cells.append(f"{passed}/{passed + failed}")
    print(f"| all | {' | '.join(cells)} |\n")


def print_failures(outcomes: Outcomes, programs: Sequence[str]) -> None:
    """Print what failed, and what was said by who gave up."""
    for program in programs:
        for subject, each in outcomes.items():
            outcome = each[program]
            for text, count in sorted(outcome.failed.items()):
                times = f" ({count} times)" if count > 1 else ""
                print(f"{program}: {subject}: not ok: {text}{times}")
            if not outcome.complete and outcome.said:
                print(f"{program}: {subject}: status {outcome.status}, said: {outcome.said}")


def ours_alone(outcomes: Outcomes) -> list[str]:
    """Return what the first runtime does not pass and another one does in the same way."""
    first = next(iter(outcomes)).runtime
    found = []
    for ours in (subject for subject in outcomes if subject.runtime == first):
        for other in (s for s in outcomes if s.runtime != first and s.way == ours.way):
            for program, outcome in outcomes[ours].items():
                theirs = outcomes[other][program]
                if theirs.complete and not outcome.complete:
                    found.append(f"{program}: {other} passes, and {ours} does not")
                found += [
                    f"{program}: {ours}: {other} passes: {text}"
                    for text, count in theirs.passed.items()
                    if outcome.passed[text] < count and not outcome.complete
                ]
    return found


def main() -> int:
    """Build, run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--runtimes", nargs="+", default=["rootless-runtime"])
    parser.add_argument("--ways", nargs="+", choices=_WAYS, default=list(_WAYS))
    parser.add_argument("--programs", nargs="+", help="some of them only")
    parser.add_argument("--built", type=Path, help="folder to build in, and to find it again")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    subjects = [
        Subject(os.path.basename(name), shutil.which(name) or parser.error(f"no {name}"), way)
        for way in options.ways
        for name in options.runtimes
    ]
    with tempfile.TemporaryDirectory(prefix="rootless-suite-", dir="/var/tmp") as scratch:
        built = (options.built or Path(scratch)).absolute()
        programs = build(options.checkout, built)
        programs = [name for name in programs if name in (options.programs or programs)]
        with ThreadPoolExecutor(options.jobs) as pool:
            running = {
                subject: {n: pool.submit(run_program, built, n, subject) for n in programs}
                for subject in subjects
            }
            outcomes = {
                subject: {name: each.result() for name, each in of_it.items()}
                for subject, of_it in running.items()
            }
    print_table(outcomes, programs)
    print_failures(outcomes, programs)
    alone = ours_alone(outcomes)
    print(*alone, sep="\n")
    return int(bool(alone))


if __name__ == "__main__":
    sys.exit(main())
