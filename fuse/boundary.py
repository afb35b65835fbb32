"""From exception to errno: the one place through which every handler's outcome passes.

Any exception but `FUSEError` out of a handler ends `pyfuse3.main()`, and each later access to the
mount then hangs for as long as the process lives (measured: a plain FileNotFoundError suffices).
So a class of operations is wrapped as a whole, by the list of handlers that pyfuse3's own base
class has, and none can be forgotten:

- `FUSEError` passes.
- `OSError` becomes its own errno: the core speaks in what the kernel said.
- Anything else becomes EIO, with one traceback in the log.
- `forget` answers nothing, so its errors can only be logged; `init` is pyfuse3's empty one.
- `BaseException` that is no `Exception` passes: cancellation and the interpreter's own end.

A wrapper costs 0.6 µs a request, and none of these requests is frequent (`fast_path`).
"""

import errno
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pyfuse3

log = logging.getLogger(__name__)

_CO_COROUTINE = 0x80  # as `inspect` has it, which is a megabyte

_Class = TypeVar("_Class", bound=type[pyfuse3.Operations])
_Handler = Callable[..., Awaitable[Any]]


def bounded(operations: _Class) -> _Class:
    """Wrap every handler of a class of operations, those that it inherits included."""
    for name, base in vars(pyfuse3.Operations).items():
        code = getattr(base, "__code__", None)
        if code is None or not code.co_flags & _CO_COROUTINE:
            continue
        handler = getattr(operations, name)
        wrap = _silent if name == "forget" else _answering
        setattr(operations, name, functools.wraps(handler)(wrap(handler)))
    return operations


def fuse_error(error: Exception) -> pyfuse3.FUSEError:
    """Return what the kernel is told for an exception; logs those that nobody meant to raise."""
    if isinstance(error, pyfuse3.FUSEError):
        return error
    if isinstance(error, OSError) and error.errno:
        return pyfuse3.FUSEError(error.errno)
    log.error("a request failed with EIO", exc_info=error)
    return pyfuse3.FUSEError(errno.EIO)


def _answering(handler: _Handler) -> _Handler:
    """Return the wrapper for a handler whose outcome is answered."""

    async def answer(self: Any, *arguments: Any) -> Any:
        try:
            return await handler(self, *arguments)
        except Exception as error:  # noqa: BLE001 - the boundary itself
            raise fuse_error(error) from None

    return answer


def _silent(handler: _Handler) -> _Handler:
    async def answer(self: Any, *arguments: Any) -> None:
        try:
            await handler(self, *arguments)
        except Exception:
            log.exception("a request without an answer failed")

    return answer
