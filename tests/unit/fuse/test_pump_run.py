"""The session loop around pyfuse3's own, from its beginning to its end."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyfuse3
import pytest
from unit.session_side import ECHO, OTHER, Session, failing_once, opcode_of


@pytest.fixture
def session() -> Iterator[Session]:
    """A session without other work."""
    made = Session()
    yield made
    made.close()


def pyfuse3_loop(session: Session, requests: list[bytes]) -> Callable[..., Any]:
    """Return what pyfuse3.main does, reduced to its reading: until the session is closed."""

    async def main(min_tasks: int, max_tasks: int) -> None:
        assert (min_tasks, max_tasks) == (1, 1)
        module: Any = pyfuse3
        lock = module.trio.Lock()

        async def worker(_nursery: Any) -> None:
            while True:
                async with lock:
                    try:
                        await module.trio.lowlevel.wait_readable(session.fd)
                    except module.trio.ClosedResourceError:
                        return
                    requests.append(os.read(session.fd, 1 << 16))
                session.reply(b"done")
                if len(requests) == 2:
                    raise_at_end()

        async with module.trio.open_nursery() as nursery:
            nursery.start_soon(worker, nursery, name="worker")

    return main


def raise_at_end() -> None:
    """Stand for what goes wrong in pyfuse3."""
    raise RuntimeError("of pyfuse3")


def test_runs_until_the_end_of_the_mount(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyfuse3's loop gets its requests from ours; afterwards everything is as it was before."""
    before = pyfuse3.trio  # type: ignore[attr-defined]
    requests: list[bytes] = []
    monkeypatch.setattr(pyfuse3, "main", pyfuse3_loop(session, requests))
    session.ask(ECHO, b"fast")
    session.ask(OTHER)

    def end() -> None:
        failing_once(errno.ENODEV, monkeypatch)
        session.ask(ECHO)

    timer = threading.Timer(0.1, end)
    timer.start()
    session.pump.run({})
    timer.join()
    assert session.answers() == [(0, b"fast"), (0, b"done")]
    assert [opcode_of(each) for each in requests] == [OTHER]
    assert pyfuse3.trio is before  # type: ignore[attr-defined]
    assert os.fstat(session.fd).st_ino == session.identity


def test_what_goes_wrong_in_pyfuse3_comes_out(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is put back all the same, so that the session can be closed."""
    before = pyfuse3.trio  # type: ignore[attr-defined]
    monkeypatch.setattr(pyfuse3, "main", pyfuse3_loop(session, []))
    session.ask(OTHER)
    session.ask(OTHER)
    with pytest.raises(RuntimeError, match="of pyfuse3"):
        session.pump.run({})
    assert pyfuse3.trio is before  # type: ignore[attr-defined]
    assert os.fstat(session.fd).st_ino == session.identity


def test_an_end_from_outside(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is readable and says that it is the end ends the loop; the connection is put back."""
    monkeypatch.setattr(pyfuse3, "main", pyfuse3_loop(session, []))
    reads, writes = os.pipe()
    said: list[bytes] = []

    def is_end() -> bool:
        said.append(os.read(reads, 1))
        return said[-1] == b"2"

    os.write(writes, b"12")
    session.pump.run({reads: is_end})
    assert said == [b"1", b"2"]
    assert os.fstat(session.fd).st_ino == session.identity
    os.close(reads)
    os.close(writes)


def test_a_run_that_never_began(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyfuse3 ends before its first wait there is nothing to put back."""

    async def main(min_tasks: int, max_tasks: int) -> None:
        pass

    monkeypatch.setattr(pyfuse3, "main", main)
    session.pump.run({})
    assert os.fstat(session.fd).st_ino == session.identity
