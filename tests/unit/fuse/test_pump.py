"""The session loop, with a pair of sockets for the session's connection."""

import contextlib
import errno
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from unit.session_side import ECHO, OTHER, Session, failing_once, opcode_of

from fuse import exchange as exchange_module
from fuse import pump as pump_module
from fuse import wire
from fuse.fast_path import FastPath
from fuse.one_task import SessionClosed
from fuse.pump import Pump


@pytest.fixture
def session() -> Iterator[Session]:
    """A session without other work."""
    made = Session()
    yield made
    made.close()


def test_pyfuse3_gets_what_the_fast_path_leaves(session: Session) -> None:
    """Everything before it is answered at once; its own answer goes out before the next wait."""
    for body in (b"one", b"two"):
        session.ask(ECHO, body)
    session.ask(OTHER, b"for pyfuse3")
    assert (session.wait()).endswith(b"for pyfuse3")
    assert session.answers() == [(0, b"one"), (0, b"two")]
    session.reply(b"from pyfuse3")
    session.ask(ECHO, b"three")
    session.ask(OTHER)
    assert opcode_of(session.wait()) == OTHER
    assert session.answers() == [(0, b"from pyfuse3"), (0, b"three")]


def test_looks_for_the_end_while_requests_wait(session: Session) -> None:
    """With something to read, it looks once in FAIRNESS requests whether it is to end."""
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        return False

    def requests(count: int) -> None:
        for _ in range(count):
            session.ask(ECHO)
        session.ask(OTHER)

    with stoppable(session, look) as stop:
        os.write(stop, b"x")
        requests(pump_module.FAIRNESS - 1)
        session.wait()
        assert looks == 0
        session.answers()
        requests(pump_module.FAIRNESS - 2)
        session.wait()
        assert looks == 1


@contextlib.contextmanager
def stoppable(session: Session, look: Callable[[], bool]) -> Iterator[int]:
    """Have a pump ask `look` when the pipe that is yielded has been written to."""
    reads, writes = os.pipe()
    session.pump._stops = {reads: look}
    session.pump._stop_poll.register(reads)
    yield writes
    os.close(reads)
    os.close(writes)


def test_sleeps_until_something_comes(session: Session) -> None:
    """Without a request it sleeps, and a request wakes it."""
    session.pump._spin_max_ns = session.pump._spin_ns = 0
    timer = threading.Timer(0.05, session.ask, (OTHER,))
    timer.start()
    before = time.process_time()
    assert opcode_of(session.wait()) == OTHER
    assert time.process_time() - before < 0.04
    timer.join()


def test_the_end_comes_while_it_sleeps(session: Session) -> None:
    """What says that it is the end is heard asleep, and nothing is lost by that."""
    with stoppable(session, lambda: True) as stop:
        timer = threading.Timer(0.02, os.write, (stop, b"x"))
        timer.start()
        with pytest.raises(SessionClosed):
            session.wait()
        timer.join()
    session.pump._stops = {}
    session.ask(ECHO, b"late")
    session.ask(OTHER)
    session.pump._is_stopped = lambda: False  # type: ignore[method-assign]
    assert opcode_of(session.wait()) == OTHER
    assert session.answers() == [(0, b"late")]


def test_works_in_the_gaps_until_a_request_comes() -> None:
    """Slices of work are done while nothing waits; a request is seen after the slice."""
    slices = 0

    def work() -> bool:
        nonlocal slices
        slices += 1
        if slices == 3:
            session.ask(OTHER)
        return True

    session = Session(work)
    session.wait()
    assert slices == 3
    session.close()


def test_requests_come_before_work() -> None:
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
    session.wait()
    assert slices == 0
    session.close()


def test_the_connection_does_not_block(session: Session) -> None:
    """A request that vanishes between poll and read must not block the process."""
    session.ask(OTHER)
    session.wait()
    exchange = session.pump._exchange
    assert exchange is not None
    assert not os.get_blocking(exchange.kernel_fd)


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.EINTR, errno.ENOENT])
def test_a_vanished_request_is_no_end(
    session: Session, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client was killed between poll and read: the loop goes on to the next."""
    session.ask(OTHER)
    failing_once(error, monkeypatch)
    assert opcode_of(session.wait()) == OTHER


@pytest.mark.parametrize("error", [errno.ENODEV, errno.ECONNABORTED])
def test_the_end_of_the_mount(
    session: Session, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel says after an unmount ends pyfuse3's loop in the way that it knows."""
    session.ask(OTHER)
    failing_once(error, monkeypatch)
    with pytest.raises(SessionClosed):
        session.wait()


def test_any_other_error_comes_out(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is dead then, and the process has to end."""
    session.ask(OTHER)
    failing_once(errno.EIO, monkeypatch)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        session.wait()


def test_a_request_too_large_for_pyfuse3(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused with an errno, and the loop goes on."""
    monkeypatch.setattr(exchange_module, "_ANSWER_BYTES", 4096)
    session.ask(OTHER, bytes(150_000))
    session.ask(OTHER, b"small")
    assert (session.wait()).endswith(b"small")
    assert session.answers() == [(errno.EMSGSIZE, b"")]


def test_what_was_agreed_on(session: Session) -> None:
    """The fast path says what it wants, and hears what came of it."""
    session.path.wanted = 1 << 23
    session.ask(wire.INIT, struct.pack("=IIII", 7, 38, 0, 1 << 23 | 1))
    session.wait()
    session.reply(struct.pack("=IIII", 7, 31, 0, 1))
    session.ask(OTHER)
    session.wait()
    (_, answer), *_ = session.answers()
    assert struct.unpack("=IIII", answer)[3] == session.path.agreed == 1 << 23 | 1


def test_the_busy_poll_shrinks_when_in_vain(session: Session) -> None:
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


def test_no_work_is_nothing_done() -> None:
    """The default work says that there was none."""
    assert not pump_module.no_work()
