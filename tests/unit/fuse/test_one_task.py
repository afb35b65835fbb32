"""What pyfuse3 gets for trio runs one task to its end, and nothing waits."""

from types import CoroutineType
from typing import Any

import pytest

from fuse.one_task import SessionClosed, play, stand_in


class Suspends:
    """What waits for somebody else."""

    def __await__(self) -> Any:
        """Ask to be woken up."""
        yield


def test_a_session_is_played_to_its_end() -> None:
    """Tasks run where the nursery ends, one after the other, and the lock is free."""
    waited: list[int] = []

    def wait(fd: int) -> None:
        if len(waited) == 2:
            raise SessionClosed
        waited.append(fd)

    trio = stand_in(wait)
    assert trio.lowlevel.current_trio_token() is None
    assert trio.lowlevel.current_task().name

    async def loop(fd: int) -> None:
        async with trio.Lock():
            while True:
                try:
                    await trio.lowlevel.wait_readable(fd)
                except trio.ClosedResourceError:
                    return

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(loop, 7, name="one")
            nursery.start_soon(loop, 8)
            assert waited == []

    play(main())
    assert waited == [7, 7]


def test_what_is_raised_comes_out() -> None:
    """Of a task as it is, in no group; of the block itself before any task."""
    trio = stand_in(lambda fd: None)

    async def wrong() -> None:
        raise KeyError("task")

    async def main(*, in_block: bool) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wrong)
            if in_block:
                raise IndexError

    with pytest.raises(KeyError, match="task"):
        play(main(in_block=False))
    with pytest.raises(IndexError):
        play(main(in_block=True))


def test_a_handler_that_waits() -> None:
    """Nobody would wake it: it is closed, and that is an error."""

    async def waits() -> None:
        await Suspends()

    coroutine = waits()
    with pytest.raises(RuntimeError, match="waits"):
        play(coroutine)
    assert isinstance(coroutine, CoroutineType)
    assert coroutine.cr_frame is None
