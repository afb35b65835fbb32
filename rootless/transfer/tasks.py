"""trio's groups of errors, for callers that want the one error to show."""

import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import trio

from rootless.errors import RootlessError

T = TypeVar("T")


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run *work* under trio; raises one error, as `one_error` has it."""
    # Ctrl-C can come between the call of an async function and its await, which is nobody's fault
    # and would be told when the interrupt's traceback goes, long after this.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    with one_error():
        return trio.run(work)


@contextmanager
def one_error() -> Iterator[None]:
    """Raise, of several tasks' errors, the one that the user must see.

    An interrupt comes first, then our own errors, whichever task had them first.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        raise _foremost(list(_leaves(group))) from None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _foremost(errors: list[BaseException]) -> BaseException:
    for kind in (KeyboardInterrupt, RootlessError):
        for error in errors:
            if isinstance(error, kind):
                return error
    return errors[0]
