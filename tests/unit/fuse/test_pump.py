"""The session loop's stand-in for trio, without a session."""

import errno
import os
import threading
from collections.abc import Iterator

import pyfuse3
import pytest
import trio

from fuse import pump
from fuse.pump import Pump


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that stands for the session's descriptor."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.mark.trio
async def test_does_not_yield_while_requests_wait(pipe: tuple[int, int]) -> None:
    """With something to read, other tasks run once in FAIRNESS requests only."""
    os.write(pipe[1], b"x")
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    under_test = Pump()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(pump.FAIRNESS - 1):
            await under_test._wait_readable(pipe[0])
        assert turns == 0
        for _ in range(1 + pump.FAIRNESS):  # twice, as trio runs what is ready in any order
            await under_test._wait_readable(pipe[0])
        assert turns > 0
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_sleeps_when_nothing_comes(pipe: tuple[int, int]) -> None:
    """Without a request the wait is trio's, so others run and it can be cancelled."""
    under_test = Pump()
    with trio.move_on_after(0.05) as scope:
        await under_test._wait_readable(pipe[0])
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(under_test._wait_readable, pipe[0])
        await trio.sleep(0.01)
        os.write(pipe[1], b"x")


@pytest.mark.trio
async def test_works_in_the_gaps_until_a_request_comes(pipe: tuple[int, int]) -> None:
    """Slices of work are done while nothing waits; a request is seen after the slice."""
    slices = 0

    def work() -> bool:
        nonlocal slices
        slices += 1
        if slices == 3:
            os.write(pipe[1], b"x")
        return True

    await Pump(work)._wait_readable(pipe[0])
    assert slices == 3


@pytest.mark.trio
async def test_makes_the_descriptor_non_blocking(pipe: tuple[int, int]) -> None:
    """A request that vanishes between poll and read must not block the process."""
    os.write(pipe[1], b"x")
    assert os.get_blocking(pipe[0])
    await Pump()._wait_readable(pipe[0])
    assert not os.get_blocking(pipe[0])


@pytest.mark.trio
async def test_the_busy_poll_shrinks_when_in_vain(pipe: tuple[int, int]) -> None:
    """Each window in vain halves the next; a request within one doubles it."""
    under_test = Pump()
    under_test._spin_max_ns = under_test._spin_ns = pump.SPIN_NS
    poll = pump._adopt(pipe[0])
    assert not under_test._linger(poll)
    assert under_test._spin_ns == pump.SPIN_NS // 2
    os.write(pipe[1], b"x")
    assert under_test._linger(poll)
    assert under_test._spin_ns == pump.SPIN_NS


@pytest.mark.trio
async def test_the_lock_excludes() -> None:
    """It is taken without yielding when free, and waits when it is not."""
    lock = pump._FreeLock()
    order: list[str] = []

    async def second() -> None:
        async with lock:
            order.append("second")

    async with trio.open_nursery() as nursery, lock:
        nursery.start_soon(second)
        await trio.sleep(0.01)
        order.append("first")
    assert order == ["first", "second"]


@pytest.mark.trio
async def test_enters_the_loop_again_after_a_vanished_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """EAGAIN out of pyfuse3's loop is no end; pyfuse3 has its own trio back afterwards."""
    entered = 0

    async def main(min_tasks: int, max_tasks: int) -> None:
        nonlocal entered
        assert (min_tasks, max_tasks) == (1, 1)
        entered += 1
        if entered < 3:
            async with trio.open_nursery():
                raise OSError(errno.EAGAIN, "again")

    monkeypatch.setattr(pyfuse3, "main", main)
    await Pump().run()
    assert entered == 3
    assert pyfuse3.trio is trio  # type: ignore[attr-defined]


@pytest.mark.trio
async def test_a_request_that_ends_with_the_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    """ECONNABORTED, out of a read that raced with the unmount, is an end like any other."""
    entered = 0

    async def main(min_tasks: int, max_tasks: int) -> None:
        nonlocal entered
        del min_tasks, max_tasks
        entered += 1
        async with trio.open_nursery():
            raise OSError(errno.ECONNABORTED, "aborted")

    monkeypatch.setattr(pyfuse3, "main", main)
    await Pump().run()
    assert entered == 1


@pytest.mark.trio
async def test_any_other_error_ends_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not EAGAIN comes out, so that the process can end."""

    async def main(min_tasks: int, max_tasks: int) -> None:
        del min_tasks, max_tasks
        async with trio.open_nursery():
            raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(pyfuse3, "main", main)
    with pytest.raises(BaseExceptionGroup):
        await Pump().run()


def test_no_work_is_nothing_done() -> None:
    """The default work says that there was none."""
    assert not pump.no_work()


@pytest.mark.trio
async def test_dozes_before_it_sleeps(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that comes within the doze is seen without a turn of the scheduler."""
    monkeypatch.setattr(pump, "DOZE_MS", 10_000)
    under_test = Pump()
    under_test._spin_max_ns = under_test._spin_ns = 0
    turns = 0

    async def other() -> None:
        nonlocal turns
        turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        timer = threading.Timer(0.01, os.write, (pipe[1], b"x"))
        timer.start()
        await under_test._wait_readable(pipe[0])
        timer.join()
        assert turns == 0
