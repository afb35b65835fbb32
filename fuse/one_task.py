"""What pyfuse3 gets for the module `trio`: a single task needs no scheduler.

With one worker, whose handlers wait for nothing but local files, all that pyfuse3 asks trio for is
to wait until there is a request. That is the loop of `pump`, in poll(2). So no coroutine is ever
suspended, and one step plays it to its end.

A server does not import trio itself: with what it brings it was a third of the memory and half of
the time at the start. pyfuse3 imports it, and looks nothing up in it before the session runs
(`late_imports`); what it looks up then it takes from its own module attribute, which its asyncio
mode replaces, too.
"""

from collections.abc import Callable, Coroutine
from types import SimpleNamespace, TracebackType
from typing import Any


class SessionClosed(Exception):
    """Ends pyfuse3's loop: raised by what waits for a request."""


def stand_in(wait: Callable[[int], None]) -> SimpleNamespace:
    """Return what pyfuse3 looks up in trio, no more.

    Args:
        wait: Returns when there is something to read at a descriptor; raises SessionClosed.
    """

    async def wait_readable(fd: int) -> None:
        wait(fd)

    return SimpleNamespace(
        Lock=_Lock,
        open_nursery=_Nursery,
        ClosedResourceError=SessionClosed,
        lowlevel=SimpleNamespace(
            wait_readable=wait_readable,
            current_task=lambda: SimpleNamespace(name="session"),
            current_trio_token=lambda: None,
        ),
    )


def play(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end; raises RuntimeError where it waits, as nobody would wake it."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("a handler of the file system waits")


class _Lock:
    """Stands in for `trio.Lock`: with one worker it is always free."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None


class _Nursery:
    """Stands in for a `trio.Nursery`: its one task runs where the block ends."""

    def __init__(self) -> None:
        self._tasks: list[tuple[Callable[..., Coroutine[Any, Any, None]], tuple[Any, ...]]] = []

    async def __aenter__(self) -> "_Nursery":  # noqa: PYI034 - Self is no shorter here
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._tasks and error is None:
            task, arguments = self._tasks.pop(0)
            await task(*arguments)

    def start_soon(
        self, task: Callable[..., Coroutine[Any, Any, None]], *arguments: Any, name: str = ""
    ) -> None:
        """Have it run."""
        del name
        self._tasks.append((task, arguments))
