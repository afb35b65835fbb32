"""A network that fails, registries that lie, and fetchers that are killed."""

import contextlib
import os
import random
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from fault_proxy import Fault
from lazily import LATE, NO_NETWORK, Lazily

ONE_KIND = pytest.mark.parametrize("kind", ["zstd-chunked"])
BLOBS = "GET .*/blobs/"
HERE = "cat /etc/passwd >/dev/null && echo here"


def fetcher_of(run: subprocess.Popen[bytes]) -> int:
    """Return the fetcher of a run, once it is there."""
    deadline = time.monotonic() + 10
    while True:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        for pid in children:
            if b"rootless.lazy.fetcher" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(BLOBS, cut=1000, times=3, skip=2)],
        [Fault(BLOBS, status=503, headers={"retry-after": "0"}, times=3, skip=3)],
        [Fault(BLOBS, status=429, times=2, skip=2), Fault(BLOBS, stall=1, stall_at=100, times=2)],
        [Fault(BLOBS, flip=30, times=1, skip=6)],
    ],
    ids=["cut", "503", "429-and-stalls", "wrong-byte"],
)
def test_faults_that_pass(lazily: Lazily, faults: list[Fault]) -> None:
    """What fails once is asked for again; the program learns nothing of it."""
    lazily.proxy.set(*faults)
    words = lazily.run(lazily.image, "python3", "-c", "import os; print([1])")
    assert lazily.rootless.ok(*words) == "[1]\n"


def test_wrong_bytes_give_an_error_on_that_file_alone(slowly: Lazily) -> None:
    """No wrong byte is ever read; what is here can be read, and later the file, too."""
    slowly.proxy.set(Fault(BLOBS, flip=30))
    words = slowly.run(slowly.image, "sh", "-c", f"{HERE}; cat {LATE}; cat {LATE} | sha256sum")
    result = slowly.rootless(*words)
    assert result.stdout.splitlines()[0] == "here"
    assert "Input/output error" in result.stderr
    slowly.proxy.set()
    words = slowly.run(slowly.image, "grep", "-c", "libz", LATE)
    assert int(slowly.rootless.ok(*words)) > 0


def test_the_network_goes_and_comes_back(slowly: Lazily, overlay_driver: str) -> None:
    """Missing files give EIO after a bounded time, with one line; all others go on as before.

    When the network is back they can be read, in the same run.
    """
    slowly.proxy.set(NO_NETWORK)
    script = f"{HERE}; cat {LATE} >/dev/null; {HERE}; echo lost; read x; wc -c < {LATE}"
    env = {**slowly.rootless.home.environ, "ROOTLESS_LAZY_PATIENCE": "1"}
    words = ["-i", "--overlay-driver", overlay_driver, slowly.image, "sh", "-c", script]
    with subprocess.Popen(
        slowly.rootless.command(*slowly.run(*words)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        bufsize=0,
    ) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        assert run.stderr is not None
        began = time.monotonic()
        assert [run.stdout.readline() for _ in range(3)] == [b"here\n", b"here\n", b"lost\n"]
        assert time.monotonic() - began < 8
        slowly.proxy.set()
        run.stdin.write(b"go on\n")
        assert int(run.stdout.readline()) > 100
        said = run.stderr.read().decode()
    assert said.count("files of the image that are not here yet give I/O errors") == 1
    assert said.count("the registry answers again") == 1
    assert "Input/output error" in said


def test_without_a_network_at_the_start(slowly: Lazily) -> None:
    """What is here runs, whoever does not answer."""
    slowly.proxy.set(NO_NETWORK)
    words = slowly.run("--pull=missing", slowly.image, "sh", "-c", HERE)
    assert slowly.rootless.ok(*words, env={"ROOTLESS_LAZY_PATIENCE": "1"}) == "here\n"


def test_a_killed_fetcher(slowly: Lazily) -> None:
    """The run goes on with what is here, says so, and ends well; the next one has it all."""
    script = f"read x; {HERE}; cat {LATE} >/dev/null; echo $?"
    words = slowly.run("-i", slowly.image, "sh", "-c", script)
    with slowly.rootless.start(
        *words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        os.kill(fetcher_of(run), signal.SIGKILL)
        out, err = run.communicate(b"go on\n", timeout=30)
    assert out == b"here\n1\n"
    assert run.returncode == 0
    assert b"what fetches the image has ended" in err
    words = slowly.run(slowly.image, "wc", "-c", LATE)
    assert slowly.rootless.ok(*words).split()[1] == LATE


@ONE_KIND
@pytest.mark.slow
def test_fetchers_killed_at_any_moment(lazily: Lazily) -> None:
    """Ten are killed, beside runs that read everything; what they leave behind is never wrong."""
    rootless = lazily.rootless
    lazily.pull("--lazy")
    words = lazily.run("--network=none", lazily.image, "sh", "-c", "cat /usr/bin/* | sha256sum")
    chance = random.Random(5)
    for _ in range(10):
        with rootless.start(*words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
            pid = fetcher_of(run)
            time.sleep(chance.uniform(0, 1.2))
            with contextlib.suppress(ProcessLookupError):  # it has brought everything
                os.kill(pid, signal.SIGKILL)
            run.communicate(timeout=30)
    lazily.pull()
    assert not lazily.folders()
    for path in (rootless.home.store / "blobs/sha256").iterdir():
        found = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True)
        assert found.stdout.split()[0] == path.name
    assert re.fullmatch("[0-9a-f]{64} .*\n", rootless.ok(*words))


def test_a_run_that_is_killed(slowly: Lazily) -> None:
    """With the command line everything ends, the fetcher, too."""
    words = slowly.run(slowly.image, "sleep", "60")
    with slowly.rootless.start(*words) as run:
        pid = fetcher_of(run)
        run.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_files_that_cannot_be_kept(slowly: Lazily) -> None:
    """Where the store cannot take what is fetched, reading it is an error, and nothing is marked.

    A limit on the size of files stands for a full disk: the contents lie behind it.
    """
    limit = (64 << 20, 64 << 20)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    words = slowly.run(slowly.image, "sh", "-c", f"{HERE}; cat {LATE} >/dev/null; {HERE}")
    with slowly.rootless.start(
        *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limited
    ) as run:
        out, err = run.communicate(timeout=30)
    assert out == b"here\nhere\n"
    assert b"cat: " in err
    words = slowly.run(slowly.image, "grep", "-c", "libz", LATE)
    assert int(slowly.rootless.ok(*words)) > 0
