"""The client's side of a run in the background: a holder makes the container, and tells its ID."""

import marshal
import os

from rootless.errors import RootlessError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

_MOST_BYTES = 200_000
_UNREAD = 141  # 128 + SIGPIPE


def await_id(door: "socket") -> int:
    """Wait until the container runs, and print its ID; return the status.

    Raises what kept it from running. There is no other way from here on: it may run by now.
    """
    try:
        data = door.recv(_MOST_BYTES)
    except OSError:
        data = b""
    if not data:
        raise RootlessError("the container's keeper was killed", "", "rootless ps tells if it runs")
    told = marshal.loads(data)  # noqa: S302 - of our own holder
    if "error" in told:
        raise RootlessError.from_record(told["error"])
    try:
        os.write(1, f"{told['id']}\n".encode())
    except BrokenPipeError:
        return _UNREAD
    except OSError as error:
        raise RootlessError(f"cannot write: {error.strerror}", "standard output") from error
    return 0
