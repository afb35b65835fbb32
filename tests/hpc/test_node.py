"""`run --hpc`: a batch user's program with another root file system."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.both_users]

HPC = ("run", "--hpc", "debian-demo")


def sh(script: str) -> tuple[str, ...]:
    """Return the words that run a script in the image."""
    return (*HPC, "sh", "-c", script)


def test_who_where_and_among_whom(demo: Rootless, tmp_path: Path) -> None:
    """IDs, home, working directory, file mode mask, and the namespaces of the node."""
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    script = (
        "id -u; id -g; id -un; echo $HOME; pwd; umask; touch made; ls -d /etc/debian_version; "
        "for n in net pid ipc cgroup; do readlink /proc/self/ns/$n; done; ls /dev/shm | wc -l"
    )
    environ = {"HOME": str(home), "XDG_RUNTIME_DIR": "", "TMPDIR": ""}
    umask = os.umask(0o027)
    try:
        out = demo.ok(*sh(script), env=environ, cwd=home / "work").splitlines()
    finally:
        os.umask(umask)
    assert out[:2] == [str(os.getuid()), str(os.getgid())]
    assert out[2] == os.environ["USER"]
    assert out[3:6] == [str(home), f"{home}/work", "0027"]
    assert out[7:11] == [os.readlink(f"/proc/self/ns/{n}") for n in ("net", "pid", "ipc", "cgroup")]
    assert int(out[11]) == len(os.listdir("/dev/shm"))
    made = (home / "work" / "made").stat()
    assert (made.st_uid, made.st_mode & 0o777) == (os.getuid(), 0o640)


def test_variables(demo: Rootless) -> None:
    """The job's win over the image's, the image's over the others, the host's stay outside."""
    job = {"SLURM_PROCID": "3", "OMP_NUM_THREADS": "4"}
    others = {"DEMO": "mine", "MINE": "a b\nc"}
    outside = {"LD_LIBRARY_PATH": "/opt/lib", "MODULEPATH": "/opt/modules", "PYTHONPATH": "/x"}
    script = 'echo "$SLURM_PROCID $OMP_NUM_THREADS $DEMO $MINE $LD_LIBRARY_PATH$MODULEPATH"; env'
    out = demo.ok(*sh(script), env={**job, **others, **outside})
    assert out.startswith("3 4 yes a b\nc \n")
    assert not any(line.startswith(("PYTHONPATH", "XDG_RUNTIME")) for line in out.splitlines())
    given = demo.ok(*HPC[:2], "-e", "SLURM_PROCID=9", *sh("echo $SLURM_PROCID")[2:], env={})
    assert given == "9\n"


def test_standard_input_is_passed(demo: Rootless) -> None:
    """Without -i, as a batch system gives it; closed, it reads as empty."""
    assert demo.ok(*HPC, "cat", stdin="text") == "text"
    words = " ".join(demo.command(*HPC, "cat"))
    done = subprocess.run(
        ["sh", "-c", f"{words} <&-"], env=dict(demo.home.environ), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL])
def test_ends_as_the_workload_did(demo: Rootless, number: signal.Signals) -> None:
    """A signal that ends the workload is seen by who waits; a status of the same number is not."""
    assert demo(*sh(f"kill -{int(number)} $$")).status == -number
    assert demo(*sh(f"exit {128 + number}")).status == 128 + number


TRAPS = """
trap 'echo TERM; n=$((n+1))' TERM; trap 'echo USR1; n=$((n+1))' USR1
echo $$; while [ "${n:-0}" -lt %d ]; do sleep 0.02; done; sleep 0.2
"""


def children(pid: int) -> list[int]:
    """Return the processes below one, and itself."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [pid, *(found for word in file.read().split() for found in children(int(word)))]


def test_signals_are_passed_on_at_once(demo: Rootless) -> None:
    """What a batch system sends to the command reaches the workload within a tenth of a second."""
    with demo.start(*sh(TRAPS % 2), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for number in (signal.SIGUSR1, signal.SIGTERM):
            begin = time.monotonic()
            process.send_signal(number)
            assert process.stdout.readline() == f"{number.name[3:]}\n"
            assert time.monotonic() - begin < 0.1
        assert process.wait(10) == 0


def test_a_signal_to_all_processes_comes_once(demo: Rootless) -> None:
    """Slurm signals every process of a step: ours live on, the workload is told once."""
    with demo.start(*sh(TRAPS % 1), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workload = int(process.stdout.readline())
        everybody = {*children(process.pid), workload}
        assert len(everybody) >= 4
        for pid in everybody:
            os.kill(pid, signal.SIGUSR1)
        assert process.stdout.read() == "USR1\n"
        assert process.wait(10) == 0


def test_nobody_is_left(demo: Rootless, wait_until: object) -> None:
    """What the workload leaves in the background ends with it, although it has no PID 1."""
    pid = int(demo.ok(*sh("setsid sleep 300 >/dev/null 2>&1 & echo $!")))
    assert not Path(f"/proc/{pid}").exists()


def test_a_descriptor_of_the_process_manager(demo: Rootless) -> None:
    """PMI_FD is there inside by its number, and speaks to who made it."""
    ours, theirs = socket.socketpair()
    fd = os.dup2(theirs.fileno(), 19)
    theirs.close()
    try:
        script = "python3 -c \"import os; os.write(int(os.environ['PMI_FD']), b'cmd=init')\""
        demo.ok(*sh(script), env={"PMI_FD": str(fd)}, pass_fds=(fd,))
    finally:
        os.close(fd)
    with ours:
        assert ours.recv(99) == b"cmd=init"


def test_ranks_read_each_other_s_memory(demo: Rootless) -> None:
    """Two commands of one job have one user namespace; of another job, another."""
    script = "readlink /proc/self/ns/user; read x"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environ = dict(demo.home.environ)
    ranks = [
        subprocess.Popen(demo.command(*sh(script)), env={**environ, "SLURM_JOB_ID": job}, **pipes)
        for job in ("71", "71", "72")
    ]
    namespaces = [rank.stdout.readline() for rank in ranks]
    for rank in ranks:
        rank.communicate("x\n", timeout=20)
    assert namespaces[0] == namespaces[1] != namespaces[2]


def test_what_was_asked_for_wins(demo: Rootless, tmp_path: Path) -> None:
    """Options that say otherwise hold."""
    options = (
        "--hpc",
        "--pid",
        "private",
        "-w",
        "/usr",
        "-v",
        f"{tmp_path}:/tmp",
        "--umask",
        "077",
    )
    script = "readlink /proc/self/ns/pid; pwd; umask; ls -A /tmp"
    (tmp_path / "seen").touch()
    out = demo.ok("run", *options, "debian-demo", "sh", "-c", script).split()
    assert out[0] != os.readlink("/proc/self/ns/pid")
    assert out[1:] == ["/usr", "0077", "seen"]


def test_few_processes_are_allowed(demo: Rootless) -> None:
    """Under `ulimit -u` it runs, or says in one line that no process can be started."""
    own = len([p for p in Path("/proc").glob("[0-9]*") if _is_ours(p)])
    words = " ".join(demo.command(*HPC, "echo", "in"))
    seen = set()
    for more in (1, 3, 40):
        done = subprocess.run(
            ["sh", "-c", f"ulimit -u {own + more}; exec {words}"],
            env=dict(demo.home.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        seen.add(done.returncode)
        if done.returncode == 0:
            assert done.stdout == "in\n"
        else:
            assert done.returncode == 125
            assert done.stderr.count("\n") == 1, done.stderr
    assert 0 in seen


def _is_ours(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except FileNotFoundError:
        return False
