"""A build that is ended in the middle leaves nothing, and the next one goes on behind its steps."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import leaks
import loading
import pytest
from executable import Rootless
from run_processes import descendants, is_alive

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]

CONTAINERFILE = """
FROM debian-demo AS one
RUN echo first > /first
RUN --mount=type=bind,target=/context \
    echo begun > /begun && test ! -e /context/wait || exec sleep 600
FROM debian-demo AS two
RUN --mount=type=bind,target=/context test ! -e /context/wait || exec sleep 600
FROM debian-demo
COPY --from=one /first /begun /
COPY --from=two /etc/debian_version /two
CMD ["cat", "/first", "/begun"]
"""


@pytest.mark.both_users
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_in_the_middle_of_two_stages(
    builder: Rootless, tmp_path: Path, wait_until: WaitUntil, number: signal.Signals
) -> None:
    """No process, no mount and no image is left; files go with the next command that writes."""
    context = tmp_path / "context"
    context.mkdir()
    (context / "Containerfile").write_text(CONTAINERFILE)
    (context / "wait").touch()
    process = builder.start(
        *("build", "--jobs", "2", "-t", "made", context),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: sleeping(process.pid) == 2)
    all_of_it = descendants(process.pid)
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode in (-number, 128 + number)
    assert b"Traceback" not in said
    wait_until(lambda: not any(map(is_alive, all_of_it)))
    assert time.monotonic() - began < 5
    wait_until(lambda: not mounts_of(builder))
    assert "made" not in builder.ok("images")
    (context / "wait").unlink()
    done = builder("build", "-t", "made", context)
    assert done.status == 0, done.stderr
    assert (done.stdout + done.stderr).count("CACHED") == 1
    assert builder.ok("run", "made") == "first\nbegun\n"
    assert loading.temp_files(builder.home.store) == []
    scratch = builder.home.store / "scratch"
    assert list(scratch.iterdir()) == []


def sleeping(pid: int) -> int:
    """Return how many of a process's descendants are the waiting steps."""
    names = [Path(f"/proc/{each}/cmdline") for each in descendants(pid)]
    return sum(b"sleep\x00600" in _read(name) for name in names)


def mounts_of(rootless: Rootless) -> list[str]:
    """Return the mounts below a user's folders, in whatever namespace that lives."""
    return [m for m in leaks.mounts_of_all_namespaces() if str(rootless.home.path) in m]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_two_builds_at_once(builder: Rootless, tmp_path: Path) -> None:
    """Two of the same file share what they can and do not harm each other."""
    (tmp_path / "Containerfile").write_text(
        "FROM debian-demo\nRUN echo a > /a\nRUN echo b > /b\nCOPY Containerfile /c\n"
    )
    words = ("build", "-q", "--source-date-epoch", "1000000000", str(tmp_path))
    both = [builder.start(*words, "-t", name, stdout=subprocess.PIPE) for name in ("x", "y")]
    for each in both:
        each.communicate(timeout=60)
    assert [each.returncode for each in both] == [os.EX_OK, os.EX_OK]
    ids = [builder.ok("inspect", "-f", ".Id", name) for name in ("x", "y")]
    assert ids[0] == ids[1]
