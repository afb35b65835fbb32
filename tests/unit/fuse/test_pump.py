"""The session loop, with a pair of sockets for the session's connection."""

import errno
import os
import struct
import threading
from collections.abc import Iterator

import pytest
import trio
from unit.session_side import ECHO, OTHER, Session, failing_once, opcode_of

from fuse import exchange as exchange_module
from fuse import pump as pump_module
from fuse import wire
from fuse.fast_path import FastPath
from fuse.pump import Pump


@pytest.fixture
def session() -> Iterator[Session]:
    """A session without other work."""
    made = Session()
    yield made
    made.close()


@pytest.mark.trio
async def test_pyfuse3_gets_what_the_fast_path_leaves(session: Session) -> None:
    """Everything before it is answered at once; its own answer goes out before the next wait."""
    for body in (b"one", b"two"):
        session.ask(ECHO, body)
    session.ask(OTHER, b"for pyfuse3")
    assert (await session.wait()).endswith(b"for pyfuse3")
    assert session.answers() == [(0, b"one"), (0, b"two")]
    session.reply(b"from pyfuse3")
    session.ask(ECHO, b"three")
    session.ask(OTHER)
    assert opcode_of(await session.wait()) == OTHER
    assert session.answers() == [(0, b"from pyfuse3"), (0, b"three")]


@pytest.mark.trio
async def test_does_not_yield_while_requests_wait(session: Session) -> None:
    """With something to read, other tasks run once in FAIRNESS requests only."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    def requests(count: int) -> None:
        for _ in range(count):
            session.ask(ECHO)
        session.ask(OTHER)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        requests(pump_module.FAIRNESS - 1)
        await session.wait()
        assert turns == 0
        session.answers()
        requests(2 * pump_module.FAIRNESS)  # twice, as trio runs what is ready in any order
        await session.wait()
        assert 0 < turns < 6
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_sleeps_when_nothing_comes(session: Session) -> None:
    """Without a request the wait is trio's, so others run and it can be cancelled."""
    with trio.move_on_after(0.05) as scope:
        await session.wait()
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session.wait)
        await trio.sleep(0.02)
        session.ask(OTHER)


@pytest.mark.trio
async def test_a_cancelled_wait_loses_nothing(session: Session) -> None:
    """A loop that was ended between two requests can go on."""
    with trio.move_on_after(0.02):
        await session.wait()
    session.ask(ECHO, b"late")
    session.ask(OTHER)
    assert opcode_of(await session.wait()) == OTHER
    assert session.answers() == [(0, b"late")]


@pytest.mark.trio
async def test_works_in_the_gaps_until_a_request_comes() -> None:
    """Slices of work are done while nothing waits; a request is seen after the slice."""
    slices = 0

    def work() -> bool:
        nonlocal slices
        slices += 1
        if slices == 3:
            session.ask(OTHER)
        return True

    session = Session(work)
    await session.wait()
    assert slices == 3
    session.close()


@pytest.mark.trio
async def test_requests_come_before_work() -> None:
    """While requests wait no work is begun."""
    slices = 0

    def work() -> bool:
        nonlocal slices
        slices += 1
        return False

    session = Session(work)
    for _ in range(10):
        session.ask(ECHO)
    session.ask(OTHER)
    await session.wait()
    assert slices == 0
    session.close()


@pytest.mark.trio
async def test_the_connection_does_not_block(session: Session) -> None:
    """A request that vanishes between poll and read must not block the process."""
    session.ask(OTHER)
    await session.wait()
    exchange = session.pump._exchange
    assert exchange is not None
    assert not os.get_blocking(exchange.kernel_fd)


@pytest.mark.trio
@pytest.mark.parametrize("error", [errno.EAGAIN, errno.EINTR, errno.ENOENT])
async def test_a_vanished_request_is_no_end(
    session: Session, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client was killed between poll and read: the loop goes on to the next."""
    session.ask(OTHER)
    failing_once(error, monkeypatch)
    assert opcode_of(await session.wait()) == OTHER


@pytest.mark.trio
@pytest.mark.parametrize("error", [errno.ENODEV, errno.ECONNABORTED])
async def test_the_end_of_the_mount(
    session: Session, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel says after an unmount ends pyfuse3's loop in the way that it knows."""
    session.ask(OTHER)
    failing_once(error, monkeypatch)
    with pytest.raises(trio.ClosedResourceError):
        await session.wait()


@pytest.mark.trio
async def test_any_other_error_comes_out(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is dead then, and the process has to end."""
    session.ask(OTHER)
    failing_once(errno.EIO, monkeypatch)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        await session.wait()


@pytest.mark.trio
async def test_a_request_too_large_for_pyfuse3(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with an errno, and the loop goes on."""
    monkeypatch.setattr(exchange_module, "_ANSWER_BYTES", 4096)
    session.ask(OTHER, bytes(150_000))
    session.ask(OTHER, b"small")
    assert (await session.wait()).endswith(b"small")
    assert session.answers() == [(errno.EMSGSIZE, b"")]


@pytest.mark.trio
async def test_what_was_agreed_on(session: Session) -> None:
    """The fast path says what it wants, and hears what came of it."""
    session.path.wanted = 1 << 23
    session.ask(wire.INIT, struct.pack("=IIII", 7, 38, 0, 1 << 23 | 1))
    await session.wait()
    session.reply(struct.pack("=IIII", 7, 31, 0, 1))
    session.ask(OTHER)
    await session.wait()
    (_, answer), *_ = session.answers()
    assert struct.unpack("=IIII", answer)[3] == session.path.agreed == 1 << 23 | 1


@pytest.mark.trio
async def test_the_busy_poll_shrinks_when_in_vain(session: Session) -> None:
    """Each window in vain shrinks the next, down to a floor; a request makes it whole again."""
    pump = session.pump
    pump._open(session.fd)
    pump._spin_max_ns = pump._spin_ns = pump_module.SPIN_NS
    assert not pump._linger()
    assert pump._spin_ns == pump_module.SPIN_NS * 3 // 4
    for _ in range(20):
        pump._linger()
    floor = pump._spin_ns
    assert 0 < floor < pump_module.SPIN_NS // 8
    session.ask(OTHER)
    assert pump._linger()
    assert pump._spin_ns == pump_module.SPIN_NS


def test_no_busy_poll_on_one_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client could not run meanwhile."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert Pump(FastPath())._spin_ns == 0


@pytest.mark.trio
async def test_dozes_before_it_sleeps(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that comes within the doze is seen without a turn of the scheduler."""
    monkeypatch.setattr(pump_module, "DOZE_MS", 10_000)
    session.pump._spin_max_ns = session.pump._spin_ns = 0
    turns = 0

    async def other() -> None:
        nonlocal turns
        turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        timer = threading.Timer(0.01, session.ask, (OTHER,))
        timer.start()
        await session.wait()
        timer.join()
        assert turns == 0


@pytest.mark.trio
async def test_the_lock_excludes() -> None:
    """It is taken without yielding when free, and waits when it is not."""
    lock = pump_module._FreeLock()
    order: list[str] = []

    async def second() -> None:
        async with lock:
            order.append("second")

    async with trio.open_nursery() as nursery, lock:
        nursery.start_soon(second)
        await trio.sleep(0.01)
        order.append("first")
    assert order == ["first", "second"]


def test_no_work_is_nothing_done() -> None:
    """The default work says that there was none."""
    assert not pump_module.no_work()
