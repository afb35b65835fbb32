"""Work on several objects at once: a process for each CPU, since most of it is Python's own.

The processes are forked, so a task need not be written down; what comes of it is. None of them
outlives its parent, however that ends, and Ctrl-C ends them without a word of theirs.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, TypeVar

from rootless.errors import RootlessError
from rootless.linux.prctl import set_parent_death_signal

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_T = TypeVar("_T")

Advance = Callable[[int], None]
Task = Callable[[Advance], _T]
"""Is given whom to tell how many bytes it has got through."""


def outcomes(tasks: Sequence[Task[_T]], advance: Advance) -> Iterator[_T]:
    """Do all tasks; yield what comes of them, in whatever order they end.

    Args:
        tasks: The largest first, so that none is left over at the end.
        advance: Who is told of bytes.

    Raises what a task raises.
    """
    context = multiprocessing.get_context("fork")
    waiting = iter(range(len(tasks)))
    running: dict[Connection, BaseProcess] = {}
    try:
        for number in _first(waiting, len(os.sched_getaffinity(0))):
            ours, theirs = context.Pipe()
            args = (tasks, theirs, os.getpid())
            process: BaseProcess = context.Process(target=_work, args=args, daemon=True)
            process.start()
            theirs.close()
            running[ours] = process
            ours.send(number)
        while running:
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)  # noqa: S101 - nothing else was waited for
                message: int | tuple[_T] | BaseException = _received(ready)
                if isinstance(message, int):
                    advance(message)
                    continue
                following = next(waiting, None)
                ready.send(following)
                if following is None:
                    _end(ready, running.pop(ready))
                if isinstance(message, BaseException):
                    raise message
                yield message[0]
    finally:
        for connection, process in running.items():
            process.kill()
            _end(connection, process)


def _end(connection: Connection, process: "BaseProcess") -> None:
    process.join()
    process.close()
    connection.close()


def _first(numbers: Iterator[int], most: int) -> list[int]:
    return [number for _, number in zip(range(most), numbers, strict=False)]


def _received(connection: Connection) -> Any:
    try:
        return connection.recv()
    except EOFError:
        fix = "was there too little memory?"
        raise RootlessError("a process that was at work was killed", fix=fix) from None


def _work(tasks: Sequence[Task[_T]], connection: Connection, parent: int) -> None:
    set_parent_death_signal(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if os.getppid() != parent:  # killed before the kernel was asked
        return
    while (number := connection.recv()) is not None:
        try:
            connection.send((tasks[number](connection.send),))
        except Exception as error:  # noqa: BLE001 - the parent raises it
            connection.send(error)
