"""Asking the fetcher, over a real pair of sockets."""

import errno
import socket
from collections.abc import Iterator

import pytest

from fuse.fetch_link import ANSWER, ASKED_MAX, REQUEST, FetchLink

Pair = tuple[FetchLink, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A link and the fetcher's end of it."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        yield FetchLink(ours.fileno()), theirs


def received(fetcher: socket.socket) -> list[tuple[int, int, int, int]]:
    """Return the records that have come."""
    try:
        data = fetcher.recv(1 << 20)
    except BlockingIOError:
        return []
    return list(REQUEST.iter_unpack(data))


def test_a_question_and_its_answer(pair: Pair) -> None:
    """Numbers are never 0, and an answer that nobody asked for is none."""
    link, fetcher = pair
    number = link.ask(2, 100, 50, is_ahead=False)
    link.send()
    assert received(fetcher) == [(2, number, 100, 50)]
    assert number > 0
    assert list(link.answers()) == []
    answer = ANSWER.pack(2, number, errno.EIO)
    fetcher.send(ANSWER.pack(2, number + 1, 0) + answer + answer[:7])
    assert list(link.answers()) == [(number, errno.EIO)]
    fetcher.send(answer[7:])
    assert list(link.answers()) == []
    assert not link.has_ended


def test_what_is_wanted_goes_before_what_is_read_ahead(pair: Pair) -> None:
    """Though it was asked later; and what is read ahead has its turn among many others."""
    link, fetcher = pair
    ahead = {link.ask(0, n, 1, is_ahead=True) for n in range(10)}
    wanted = {link.ask(0, n, 1, is_ahead=False) for n in range(30)}
    link.send()
    order = [number in wanted for _, number, _, _ in received(fetcher)]
    assert len(order) == len(ahead) + len(wanted)
    assert sum(order[:20]) >= 15
    assert order[:20].count(False) >= 4


def test_no_more_questions_are_open_than_the_fetcher_can_use(pair: Pair) -> None:
    """The rest goes as answers come, whatever their order."""
    link, fetcher = pair
    numbers = [link.ask(0, n, 1, is_ahead=False) for n in range(3 * ASKED_MAX)]
    link.send()
    first = [number for _, number, _, _ in received(fetcher)]
    assert first == numbers[:ASKED_MAX]
    fetcher.send(b"".join(ANSWER.pack(0, number, 0) for number in reversed(first)))
    assert sorted(number for number, _ in link.answers()) == first
    assert [number for _, number, _, _ in received(fetcher)] == numbers[ASKED_MAX : 2 * ASKED_MAX]


def test_notes_never_keep_questions_from_going(pair: Pair) -> None:
    """A fetcher that does not read fills the socket with notes to a bound only."""
    link, fetcher = pair
    for number in range(100_000):
        link.note(0, number, 1)
        link.send()
    for _ in range(ASKED_MAX):
        link.ask(0, 7, 7, is_ahead=False)
    link.send()
    records = received(fetcher)
    questions = [record for record in records if record[1]]
    assert len(questions) == ASKED_MAX
    assert records[0] == (0, 0, 0, 1)


@pytest.mark.parametrize("is_read", [False, True])
def test_the_end_of_the_fetcher_is_seen(pair: Pair, *, is_read: bool) -> None:
    """When reading from it and when writing to it; its last answers still count."""
    link, fetcher = pair
    number = link.ask(0, 0, 1, is_ahead=False)
    link.send()
    if is_read:
        received(fetcher)
    fetcher.send(ANSWER.pack(0, number, 0))
    fetcher.close()
    if is_read:
        assert list(link.answers()) == [(number, 0)]
    else:
        link.ask(0, 0, 1, is_ahead=False)
        link.send()
    assert link.has_ended
    link.note(0, 0, 1)
    link.send()
    assert list(link.answers()) == []
