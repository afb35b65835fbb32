"""C functions by their names, for processes that cannot afford to import `ctypes` (2 ms).

Its C part alone calls functions as well. Integers go as `long`, bytes as pointers to them, None as
a null pointer, a tuple as a pointer to what `packed` makes of it.
"""

import os
from _ctypes import (
    FUNCFLAG_CDECL,
    FUNCFLAG_USE_ERRNO,
    CFuncPtr,
    _SimpleCData,
    dlopen,
    dlsym,
    get_errno,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Long(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "l"


class _Pointer(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "z"


class _Int(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "i"


class _Function(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL | FUNCFLAG_USE_ERRNO
    _restype_ = _Int


class _SystemCall(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL | FUNCFLAG_USE_ERRNO
    _restype_ = _Long


_library = dlopen(None, os.RTLD_NOW)  # type: ignore[arg-type]
_functions: "dict[str, Any]" = {}


def call(name: str, *arguments: "Any") -> int:
    """Call a C function that returns an int; raises OSError where that is -1.

    `syscall` returns a long.
    """
    function = _functions.get(name)
    if function is None:
        kind = _SystemCall if name == "syscall" else _Function
        function = _functions[name] = kind(dlsym(_library, name))
    result: int = function(*[_converted(argument) for argument in arguments])
    if result == -1:
        number = get_errno()
        raise OSError(number, os.strerror(number), name)
    return result


def _converted(argument: "Any") -> "Any":
    if isinstance(argument, int):
        return _Long(argument)
    return _Pointer(packed(argument)) if isinstance(argument, tuple) else argument


def packed(parts: "tuple[Any, ...]") -> bytes:
    """Return parts of a C structure behind each other; one in a tuple of its own by its address.

    The parts must live as long as the structure is used.
    """
    return b"".join(
        bytes(memoryview(_Pointer(part[0]))) if isinstance(part, tuple) else part for part in parts
    )
