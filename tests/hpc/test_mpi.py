"""MPI's ranks in containers, started by the host's mpirun and mpiexec or by the image's own."""

import subprocess
from pathlib import Path

import pytest
from executable import Result, Rootless

# Nothing asks for sub-IDs here, so that one test is enough for who has none.
pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

RANKS = 4
SUM = f"ranks {RANKS} sum {RANKS * (RANKS + 1) // 2}\n"
MPIRUN = ("mpirun.openmpi", "--oversubscribe", "-n", str(RANKS))
MPIEXEC = ("mpiexec.hydra", "-n", str(RANKS))
STARTERS = {"openmpi": MPIRUN, "mpich": MPIEXEC}

# It would look for ssh(1), which nothing on one machine needs.
NO_SSH = ("-e", "OMPI_MCA_plm_rsh_agent=sh")


def on_host(mpi: Rootless, starter: tuple[str, ...], *words: str) -> Result:
    """Run a command of the host's, with the user's variables."""
    done = subprocess.run(
        [*starter, *words],
        env={**mpi.home.environ, "TMPDIR": str(mpi.home.path)},
        cwd=mpi.home.path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.both_users
@pytest.mark.parametrize("kind", STARTERS)
def test_ranks_in_containers(mpi: Rootless, kind: str) -> None:
    """The host starts one container a rank; they find each other and their memory."""
    words = mpi.command("run", "--hpc", "mpi", f"ranks.{kind}")
    done = on_host(mpi, STARTERS[kind], *words)
    assert (done.status, done.stdout) == (0, SUM), done.stderr
    # Open MPI says so where it cannot copy straight from one rank's memory to another's.
    assert "user namespaces" not in done.stderr


@pytest.mark.parametrize("kind", STARTERS)
def test_ranks_in_one_container(mpi: Rootless, kind: str) -> None:
    """The image's own starter starts them all inside."""
    words = (*STARTERS[kind], f"ranks.{kind}")
    assert mpi.ok("run", "--hpc", *NO_SSH, "mpi", *words) == SUM


@pytest.mark.parametrize("kind", STARTERS)
def test_a_rank_that_fails_is_told(mpi: Rootless, kind: str) -> None:
    """A rank's status is the starter's."""
    words = mpi.command("run", "--hpc", "mpi", "sh", "-c", "exit 7")
    assert on_host(mpi, STARTERS[kind], *words).status == 7


def test_every_rank_has_its_own_files(mpi: Rootless, work: Path) -> None:
    """What one writes into the image no other sees; a folder of the user's they share."""
    script = 'echo "$OMPI_COMM_WORLD_RANK" >>/here; cat /here; echo . >>"$1/all"'
    words = mpi.command("run", "--hpc", "mpi", "sh", "-c", script, "sh", str(work))
    done = on_host(mpi, (*MPIRUN, "-x", f"WORK={work}"), *words)
    assert sorted(done.stdout.split()) == [str(rank) for rank in range(RANKS)], done.stderr
    assert (work / "all").read_text() == ".\n" * RANKS
