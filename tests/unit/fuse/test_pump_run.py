"""The session loop around pyfuse3's own, from its beginning to its end."""

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

import pyfuse3
import pytest
import trio
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
        async with module.trio.open_nursery():
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

    return main


def raise_at_end() -> None:
    """Stand for what goes wrong in pyfuse3."""
    raise RuntimeError("of pyfuse3")


@pytest.mark.trio
async def test_runs_until_the_end_of_the_mount(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyfuse3's loop gets its requests from ours; afterwards everything is as it was before."""
    requests: list[bytes] = []
    monkeypatch.setattr(pyfuse3, "main", pyfuse3_loop(session, requests))
    session.ask(ECHO, b"fast")
    session.ask(OTHER)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session.pump.run)
        answers = session.answers()
        with trio.fail_after(5):
            while len(answers) < 2:
                await trio.sleep(0.001)
                answers += session.answers()
        assert answers == [(0, b"fast"), (0, b"done")]
        failing_once(errno.ENODEV, monkeypatch)
        session.ask(ECHO)
    assert [opcode_of(each) for each in requests] == [OTHER]
    assert pyfuse3.trio is trio  # type: ignore[attr-defined]
    assert os.fstat(session.fd).st_ino == session.identity


@pytest.mark.trio
async def test_what_goes_wrong_in_pyfuse3_comes_out(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is put back all the same, so that the session can be closed."""
    monkeypatch.setattr(pyfuse3, "main", pyfuse3_loop(session, []))
    session.ask(OTHER)
    session.ask(OTHER)
    with pytest.raises(BaseExceptionGroup):
        await session.pump.run()
    assert pyfuse3.trio is trio  # type: ignore[attr-defined]
    assert os.fstat(session.fd).st_ino == session.identity


@pytest.mark.trio
async def test_a_cancelled_run(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling ends the loop and puts the connection back."""
    monkeypatch.setattr(pyfuse3, "main", pyfuse3_loop(session, []))
    with trio.move_on_after(0.02) as scope:
        await session.pump.run()
    assert scope.cancelled_caught
    assert os.fstat(session.fd).st_ino == session.identity


@pytest.mark.trio
async def test_a_run_that_never_began(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyfuse3 ends before its first wait there is nothing to put back."""

    async def main(min_tasks: int, max_tasks: int) -> None:
        await trio.lowlevel.checkpoint()

    monkeypatch.setattr(pyfuse3, "main", main)
    await session.pump.run()
    assert os.fstat(session.fd).st_ino == session.identity
