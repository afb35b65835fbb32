"""`rootless.lazy.pace`: the background waits for what is asked for."""

import trio
from trio.testing import MockClock

from rootless.lazy.pace import Pace


def test_the_background_is_still_while_something_is_asked_for() -> None:
    """It goes on a moment after the last demand has ended, and at once where there was none."""

    async def watch() -> None:
        pace = Pace()
        began = trio.current_time()
        await pace.quiet()
        assert trio.current_time() == began
        async with trio.open_nursery() as nursery:

            async def demand(seconds: float) -> None:
                with pace.demand():
                    await trio.sleep(seconds)

            nursery.start_soon(demand, 3)
            nursery.start_soon(demand, 5)
            await trio.sleep(1)
            await pace.quiet()
            assert 5 < trio.current_time() - began < 6

    trio.run(watch, clock=MockClock(autojump_threshold=0))


def test_requests_that_hold_nobody_up() -> None:
    """On a fast link the background asks for more at once, on a slow one for less."""
    pace = Pace()
    first = pace.size
    for _ in range(10):
        pace.measure(pace.size, 0.01)
    assert pace.size == 8 << 20
    for _ in range(3):
        pace.measure(pace.size, 10.0)
    assert pace.size == 256 << 10 < first
