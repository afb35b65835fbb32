"""Requests that wait for the fetcher."""

import errno
import logging
import socket
from collections.abc import Iterator, Sequence

import pytest

from fuse import waiting as waiting_module
from fuse import wire
from fuse.fetch_link import ANSWER, ASKED_MAX, REQUEST, FetchLink
from fuse.layer_bytes import Absent
from fuse.waiting import Replay, Waiting


def message(unique: int, opcode: int = wire.SETATTR, body: bytes = b"") -> bytes:
    """Return a request of the kernel's."""
    return wire.REQUEST.pack(wire.BODY + len(body), opcode, unique, 7, 0, 0, 0, 0, 0) + body


def read(unique: int, offset: int, size: int) -> bytes:
    """Return a read of file 7."""
    return message(unique, wire.READ, wire.READ_IN.pack(0, offset, size))


def chunks(*numbers: int) -> Sequence[tuple[int, int]]:
    """Return chunks of ten bytes."""
    return [(number * 10, 10) for number in numbers]


class Side:
    """What waits, and the fetcher's side of it."""

    def __init__(self, ours: socket.socket, theirs: socket.socket) -> None:
        self.waiting = Waiting(FetchLink(ours.fileno()))
        self.end = theirs

    def put(self, request: bytes, *numbers: int, layer: int = 0) -> int:
        """Put a request aside that needs chunks of ten bytes."""
        return self.waiting.put(request, Absent(layer, chunks(*numbers)))

    def asked(self) -> list[tuple[int, int, int, int]]:
        """Return the questions that have come."""
        try:
            return list(REQUEST.iter_unpack(self.end.recv(1 << 20)))
        except BlockingIOError:
            return []

    def answer(self, number: int, reason: int = 0) -> list[Replay]:
        """Answer a question; return the requests whose waiting is over."""
        self.end.send(ANSWER.pack(0, number, reason))
        assert self.waiting.collect()
        return self.over()

    def over(self) -> list[Replay]:
        """Return the requests whose waiting is over."""
        found = []
        while self.waiting.is_ready:
            replay = self.waiting.next()
            if replay is not None:
                found.append(replay)
        return found


@pytest.fixture
def side() -> Iterator[Side]:
    """Nothing waits yet."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        yield Side(ours, theirs)


def test_a_request_is_replayed_whole(side: Side) -> None:
    """When everything that it needs is there."""
    request = message(2, body=b"body")
    assert side.put(request, 1, 2, 5) == 0
    (first, second) = side.asked()
    assert [first[2:], second[2:]] == [(10, 20), (50, 10)]
    assert side.answer(second[1]) == []
    assert side.answer(first[1]) == [Replay(request, 0)]
    assert len(side.waiting) == 0


def test_what_several_need_is_asked_for_once(side: Side) -> None:
    """Chunk by chunk; of one layer."""
    side.put(message(2), 1, 2, 3)
    side.put(message(4), 2)
    side.put(message(6), 3, 4)
    side.put(message(8), 2, layer=1)
    (one, more, other) = side.asked()
    assert [record[2:] for record in (one, more, other)] == [(10, 30), (40, 10), (20, 10)]
    assert {replay.message for replay in side.answer(one[1])} == {message(2), message(4)}
    assert side.answer(more[1]) == [Replay(message(6), 0)]
    side.put(message(10), 2)  # it is not asked for any more
    assert len(side.asked()) == 1


def test_much_is_asked_for_in_pieces(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that who wants a part need not wait for the whole."""
    monkeypatch.setattr(waiting_module, "_QUESTION_BYTES", 30)
    side.put(message(2), *range(8))
    assert [record[2:] for record in side.asked()] == [(0, 30), (30, 30), (60, 20)]


def test_a_failure_fails_who_asked_and_lets_the_others_ask(
    side: Side, caplog: pytest.LogCaptureFixture
) -> None:
    """They may have wanted the part that could be had. One line says so, and one that it ended."""
    with caplog.at_level(logging.WARNING):
        side.put(message(2), 1, 2)
        side.put(message(4), 2)
        ((_, number, _, _),) = side.asked()
        over = side.answer(number, errno.EIO)
        assert sorted(over) == sorted([Replay(message(2), errno.EIO), Replay(message(4), 0)])
        side.put(message(4), 2)
        side.put(message(6), 5)
        (one, other) = side.asked()
        assert side.answer(one[1], errno.EIO) == [Replay(message(4), errno.EIO)]
        assert side.answer(other[1]) == [Replay(message(6), 0)]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_an_interrupted_request_waits_no_more(side: Side) -> None:
    """Whether its answer is on the way or there; what does not wait is not interrupted."""
    side.put(message(2), 1)
    side.put(message(4), 1)
    assert side.waiting.interrupt(2)
    assert not side.waiting.interrupt(2)
    assert not side.waiting.interrupt(99)
    ((_, number, _, _),) = side.asked()
    side.end.send(ANSWER.pack(0, number, 0))
    side.waiting.collect()
    assert side.waiting.interrupt(4)
    assert side.waiting.next() is None


def test_reading_ahead_comes_after_what_is_needed(side: Side) -> None:
    """A read that begins where another one ends that waits is the kernel's reading ahead."""
    for number in range(ASKED_MAX):
        side.put(message(1000 + 2 * number), 100 + 2 * number)
    held = side.asked()
    side.put(read(2, 0, 10), 0)
    side.put(read(4, 10, 10), 1)
    side.put(read(6, 20, 10), 2)
    side.put(message(8), 50)
    assert side.asked() == []
    order = []
    for record in held[:4]:
        side.answer(record[1])
        order += [asked[2] for asked in side.asked()]
    assert order == [0, 500, 10, 20]


def test_a_fetcher_that_lies_does_not_turn_for_ever(
    side: Side, caplog: pytest.LogCaptureFixture
) -> None:
    """A request that finds something absent again and again fails in the end."""
    rounds = 0
    with caplog.at_level(logging.ERROR):
        while not side.put(message(2), 1):
            ((_, number, _, _),) = side.asked()
            assert side.answer(number) == [Replay(message(2), 0)]
            rounds += 1
            assert rounds < 1000
    assert len(caplog.records) == 1
    assert side.put(message(4), 1) == 0  # another one may try


def test_what_waits_is_bounded(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in bytes."""
    monkeypatch.setattr(waiting_module, "REQUESTS_MAX", 2)
    assert [side.put(message(2 * n + 2), n) for n in range(3)] == [0, 0, errno.EIO]
    monkeypatch.setattr(waiting_module, "REQUESTS_MAX", 100)
    monkeypatch.setattr(waiting_module, "BYTES_MAX", 1000)
    assert side.put(message(20, body=bytes(1000)), 20) == errno.EIO
    assert side.put(message(22), 20) == 0


def test_thousands_wait_in_order(side: Side) -> None:
    """First come, first served, and none is lost."""
    for number in range(5000):
        assert side.put(message(2 * number + 2), number * 2) == 0
    done = []
    while len(side.waiting):
        for _, number, _, _ in side.asked():
            done += side.answer(number)
    assert [replay.message for replay in done] == [message(2 * n + 2) for n in range(5000)]


def test_the_end_of_the_fetcher(side: Side, caplog: pytest.LogCaptureFixture) -> None:
    """Who waits looks once more, as its last words may have been enough; then it is EIO."""
    with caplog.at_level(logging.ERROR):
        side.put(message(2), 1)
        side.put(message(4), 2)
        side.end.close()
        assert not side.waiting.collect()
        assert side.over() == [Replay(message(2), 0), Replay(message(4), 0)]
        assert side.put(message(2), 1) == errno.EIO
        assert not side.waiting.collect()
    assert len(caplog.records) == 1


def test_what_was_missed_is_remembered(side: Side) -> None:
    """For a handler whose answer is an errno and nothing else."""
    absent = Absent(0, chunks(1))
    with pytest.raises(Absent):
        side.waiting.miss(absent)
    assert side.waiting.missed is absent
