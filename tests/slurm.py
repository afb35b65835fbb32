"""A Slurm of one node on the loopback, all of it an ordinary user's: munged, slurmctld, slurmd.

slurmd without root starts jobs of its own user only, which is all that is asked of it.
"""

import contextlib
import os
import pwd
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_ENDED = ("COMPLETED", "FAILED", "CANCELLED")
_SBIN = "/usr/sbin:/sbin"

_CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0
ReturnToService=2
KillWait=1
Prolog={folder}/prolog
Epilog={folder}/epilog
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4
PartitionName=main Nodes=node Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True, slots=True)
class Slurm:
    """The cluster, as its user sees it."""

    folder: Path
    environ: Mapping[str, str]

    def __call__(self, *words: str | Path, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command of Slurm's."""
        return subprocess.run(
            list(map(str, words)),
            env=dict(self.environ),
            cwd=self.folder / "home",
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def ok(self, *words: str | Path, timeout: float = 60) -> str:
        """Run it, expect status 0, return what it printed."""
        done = self(*words, timeout=timeout)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def done(self, *words: str | Path, tasks: int = 1) -> str:
        """Submit a batch job and return its number when all its tasks have ended.

        `sbatch --wait` would look every ten seconds only.
        """
        number = self.ok("sbatch", "--parsable", *words).strip()
        each = [number] if tasks == 1 else [f"{number}_{task}" for task in range(tasks)]
        _await(lambda: all(self.job(one)["JobState"] in _ENDED for one in each), 60)
        return number

    def job(self, number: str) -> dict[str, str]:
        """Return what Slurm knows of a job."""
        text = self.ok("scontrol", "--oneliner", "show", "job", number)
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def output(self, name: str) -> str:
        """Return what a job wrote to a file in its folder."""
        path = self.folder / "home" / name
        return path.read_text() if path.exists() else ""


@contextlib.contextmanager
def running(
    folder: Path, environ: Mapping[str, str], scripts: Mapping[str, str]
) -> Iterator[Slurm]:
    """Run the cluster; `scripts` has the text of `prolog` and `epilog`.

    Args:
        folder: An empty one, that everybody can pass through: munged insists.
        environ: The user's variables.
        scripts: By file name.
    """
    for name in ("state", "spool", "home"):
        (folder / name).mkdir()
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o400)
    conf = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    user = pwd.getpwuid(os.getuid()).pw_name
    conf.write_text(_CONF.format(host=host, user=user, folder=folder, ports=_free_ports()))
    env = {**environ, "SLURM_CONF": str(conf), "HOME": str(folder / "home")}
    env["PATH"] = f"{env['PATH']}:{_SBIN}"
    munged = ["munged", "--foreground", f"--key-file={folder}/key"]
    munged += [f"--socket={folder}/munge.socket", f"--pid-file={folder}/munged.pid"]
    munged += [f"--seed-file={folder}/seed", f"--log-file={folder}/munged.log"]
    slurm = Slurm(folder, env)
    with contextlib.ExitStack() as stack:
        for words in (munged, ["slurmctld", "-D"], ["slurmd", "-D"]):
            log = stack.enter_context(open(folder / f"{words[0]}.out", "wb"))
            process = subprocess.Popen(words, env=env, stdout=log, stderr=log, cwd=folder)
            stack.callback(_end, process)
            if words is munged:
                _await((folder / "munge.socket").exists)
        _await(lambda: "idle" in slurm("sinfo", "--noheader", "-o", "%T").stdout)
        yield slurm


def _free_ports() -> list[int]:
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(socket.socket()) for _ in range(2)]
        for end in ends:
            end.bind(("127.0.0.1", 0))
        return [end.getsockname()[1] for end in ends]


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
