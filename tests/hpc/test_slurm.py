"""Jobs of Slurm's with containers in them: arrays, ranks, signals, ends."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import slurm as slurms
from executable import Home
from slurm import Slurm

# Nothing asks for sub-IDs here, so that one test is enough for who has none.
pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

EXAMPLES = Path("contrib/slurm").absolute()
RUN = ("rootless", "run", "--hpc", "mpi")


@pytest.fixture(scope="module")
def slurm(mpi_home: Home) -> Iterator[Slurm]:
    """Give a cluster whose user has the image `mpi`, warmed on the node."""
    with tempfile.TemporaryDirectory(prefix="slurm-") as path:
        os.chmod(path, 0o711)
        yield from _cluster(mpi_home, Path(path))


def _cluster(mpi_home: Home, folder: Path) -> Iterator[Slurm]:
    environ = {name: text for name, text in mpi_home.environ.items() if name != "XDG_RUNTIME_DIR"}
    environ["TMPDIR"] = str(folder / "home")
    environ["PATH"] = f"{Path(sys.prefix, 'bin')}:{environ['PATH']}"
    own = "".join(f"export {name}='{text}'\n" for name, text in environ.items())
    (folder / "warm").write_text("# warmed\nmpi\n/no/such/file\n")
    trace = f"sh -x {EXAMPLES}/prolog 2>>{folder}/prolog.log"
    prolog = f"#!/bin/sh\n{own}export ROOTLESS_WARM={folder}/warm\n{trace}\n"
    epilog = f"#!/bin/sh\n{own}{EXAMPLES}/epilog\ntouch {folder}/epilog-$SLURM_JOB_ID\n"
    with slurms.running(folder, environ, {"prolog": prolog, "epilog": epilog}) as cluster:
        yield cluster


@pytest.mark.both_users
def test_an_array(slurm: Slurm) -> None:
    """Each task of an array runs its command with its number."""
    script = 'echo "task $SLURM_ARRAY_TASK_ID"; test "$SLURM_ARRAY_TASK_ID" != 2'
    words = ("--array=0-2", EXAMPLES / "array.sbatch", "mpi", "sh", "-c", script)
    number = slurm.done(*words, tasks=3)
    outputs = [slurm.output(f"array-{number}_{task}.out") for task in range(3)]
    assert [text.splitlines()[0] for text in outputs] == ["task 0", "task 1", "task 2"]
    assert [slurm.job(f"{number}_{task}")["ExitCode"] for task in range(3)] == ["0:0", "0:0", "1:0"]


def test_the_image_was_warmed(slurm: Slurm) -> None:
    """The prolog ran a program of it before the job; what cannot be warmed does no harm."""
    slurm.ok("srun", "true")
    log = (slurm.folder / "prolog.log").read_text()
    assert "rootless run --hpc --pull never mpi true" in log
    assert log.rstrip().endswith("exit 0")


@pytest.mark.parametrize(("kind", "protocol"), [("openmpi", "pmix"), ("mpich", "pmi2")])
def test_ranks(slurm: Slurm, kind: str, protocol: str) -> None:
    """Slurm starts one container a rank, and they find each other."""
    words = ("srun", "--ntasks=2", f"--mpi={protocol}", *RUN, f"ranks.{kind}")
    done = slurm(*words)
    assert (done.returncode, done.stdout) == (0, "ranks 2 sum 3\n"), done.stderr
    assert "user namespaces" not in done.stderr


@pytest.mark.parametrize(
    ("script", "code"), [("exit 3", "3:0"), ("kill -TERM $$", "0:15"), ("kill -KILL $$", "0:9")]
)
def test_exit_status_as_slurm_tells_it(slurm: Slurm, script: str, code: str) -> None:
    """The job's status and signal are the command's own."""
    batch = slurm.folder / "home" / "status.sh"
    batch.write_text(f"#!/bin/sh\nexec {' '.join(RUN)} sh -c '{script}'\n")
    assert slurm.job(slurm.done("--output=status.out", batch))["ExitCode"] == code


TRAPS = """
for name in USR1 TERM; do trap "echo $name" $name; done
echo started; i=0; while [ $i -lt 600 ]; do i=$((i+1)); sleep 0.1; done
"""


def test_a_job_is_signalled_and_cancelled(
    slurm: Slurm, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """The workload hears each signal once; nothing of a cancelled job is left."""
    batch = slurm.folder / "home" / "long.sh"
    batch.write_text(f"#!/bin/sh\nsrun {' '.join(RUN)} sh -c '{TRAPS}'\n")
    number = slurm.ok("sbatch", "--parsable", "--output=long.out", batch).strip()
    wait_until(lambda: "started" in slurm.output("long.out"))
    slurm.ok("scancel", f"--signal={signal.SIGUSR1.name}", number)
    wait_until(lambda: "USR1" in slurm.output("long.out"))
    runs = Path(slurm.environ["TMPDIR"]).glob("rootless-*/runs/*")
    assert len(list(runs)) == 1
    slurm.ok("scancel", number)
    wait_until((slurm.folder / f"epilog-{number}").exists)
    lines = slurm.output("long.out").splitlines()
    assert lines.count("USR1") == 1
    assert lines.count("TERM") == 1
    assert slurm.job(number)["JobState"] in ("CANCELLED", "COMPLETING")
    assert list(Path(slurm.environ["TMPDIR"]).glob("rootless-*/runs/*")) == []
