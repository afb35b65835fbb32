"""A process that has imported the program and becomes `rootless …` by forking; see forking.py.

Started with the number of a socket. Each message is a JSON document, and with it the new process's
standard streams and its current folder; the answer is its process ID. The new process is a child of
our parent (CLONE_PARENT), who waits for it and signals it as he does with what he starts himself.
"""

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import tempfile
import threading
import time
from typing import Any

_SYS_CLONE = 56 if os.uname().machine == "x86_64" else 220
_CLONE_PARENT = 0x8000
_HIGH = 900  # out of the way of the descriptors that came
_libc = ctypes.PyDLL(None)  # keeps the interpreter's lock, as a fork has to

# Run when they are imported, or need a terminal.
_NOT_IMPORTED = ("__main__", "explore_screen")
# What libraries import when they are called.
_LATER = ("typer._adapters", "pydantic.type_adapter", "httpcore", "certifi", "encodings.idna")


def import_everything() -> None:
    """Import the program's modules and what they need."""
    for package in ("rootless", "fuse"):
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            if module.name.rpartition(".")[2] not in _NOT_IMPORTED:
                importlib.import_module(module.name)
    for name in _LATER:
        importlib.import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "something has threads: it cannot be forked"


def clone() -> int:
    """Fork, but a child of our parent; return its process ID, and 0 in itself."""
    ctypes.pythonapi.PyOS_BeforeFork()
    pid: int = _libc.syscall(
        ctypes.c_long(_SYS_CLONE), ctypes.c_long(_CLONE_PARENT | signal.SIGCHLD), 0, 0, 0, 0
    )
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    return pid


def become(request: dict[str, Any], fds: list[int]) -> int:
    """Be the program that was asked for; return the exit status."""
    *streams, folder = [os.dup2(fd, _HIGH + number) for number, fd in enumerate(fds)]
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
    os.fchdir(folder)
    os.closerange(3, 1 << 16)
    os.umask(request["umask"])
    if request["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    tempfile.tempdir = None
    executable, *words = request["words"]
    sys.argv[:] = [executable, *words]
    sys.path.insert(0, os.path.dirname(executable))
    try:
        runpy.run_path(executable, run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    else:
        status = 0
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter's end does
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def main() -> None:
    """Serve until the other end is closed."""
    server = socket.socket(fileno=int(sys.argv[1]))
    import_everything()
    gc.collect()
    gc.freeze()
    while True:
        message, fds, _, _ = socket.recv_fds(server, 1 << 20, 4)
        if not message:
            return
        pid = clone()
        if pid == 0:
            status = 1  # of an exception that the interpreter would show
            try:
                status = become(json.loads(message), fds)
            except BaseException:  # noqa: BLE001 - shown as the interpreter shows it
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(status)
        assert pid > 0, "clone(2) failed"
        for fd in fds:
            os.close(fd)
        server.send(str(pid).encode())


if __name__ == "__main__":
    main()
