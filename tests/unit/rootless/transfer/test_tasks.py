"""`rootless.transfer.tasks`: of many errors the one to show."""

import gc
import warnings

import pytest
import trio

from rootless.errors import NotFound, StoreError
from rootless.transfer import tasks


async def _raise(error: BaseException) -> None:
    raise error


async def _together(*errors: BaseException) -> None:
    async with trio.open_nursery() as outer, trio.open_nursery() as inner:
        outer.start_soon(_raise, errors[0])
        for error in errors[1:]:
            inner.start_soon(_raise, error)


def test_a_result() -> None:
    """What the work returns is returned."""

    async def work() -> int:
        await trio.lowlevel.checkpoint()
        return 7

    assert tasks.run(work) == 7


def test_an_interrupt_before_an_await() -> None:
    """Nothing is said of what was called by then, and not awaited."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    async def work() -> None:
        await trio.lowlevel.checkpoint()
        interrupt(_raise(ValueError()))

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(KeyboardInterrupt):
            tasks.run(work)
        gc.collect()
    assert said == []


@pytest.mark.parametrize(
    ("errors", "shown"),
    [
        ((ValueError("a"), NotFound("b")), NotFound),
        ((StoreError("a"), KeyboardInterrupt()), KeyboardInterrupt),
        ((ValueError("a"),), ValueError),
    ],
    ids=["ours", "interrupt", "other"],
)
def test_one_error(errors: tuple[BaseException, ...], shown: type[BaseException]) -> None:
    """An interrupt comes before our errors, and those before all others; never a group."""
    with pytest.raises(shown):
        tasks.run(lambda: _together(*errors))
