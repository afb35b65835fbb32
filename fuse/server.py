"""The life of a server process: `python -m fuse.server JSON` (see `server_config`).

With a number in place of the JSON it is a `spare` one, and waits on that socket for the config.

What it guarantees, in the order of `main`:

- Every file is open before the mount is there, so no path is ever resolved through it.
- One line on the ready descriptor, `ready` or `error TEXT`; nothing on standard output.
- The end of the mount, end-of-file on the lifeline, and SIGTERM, unless it is to ignore that, end
  it; the mount goes first.
- Whatever else ends the session ends the process at once: users of the mount get ENOTCONN, as
  after a SIGKILL. A process that lived on with its session dead would let them hang for good.
- Signals of a terminal and SIGUSR1 are not for it, but where it is started in the foreground.
"""

import contextlib
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Collection, Iterator
from typing import NoReturn

from .late_imports import OF_A_SERVER, postpone

if __name__ == "__main__":  # and in nobody else's process
    postpone(OF_A_SERVER)

import pyfuse3
import trio

from .file_system import FileSystem, open_file_system
from .mount_options import mount_options
from .pump import Pump
from .server_config import ServerConfig
from .server_log import log_to
from .spare import wait_for_config

log = logging.getLogger(__name__)

_FOR_ONE = "one"
_GC_THRESHOLD = (50_000, 20, 100)
_IGNORED = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    # what a batch system sends to every process of a job
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)
_REASONS = (OSError, ValueError)
"""What names a fault of the host's or the layers', and not of this program."""


def main(
    arguments: list[str],
    ending_signals: Collection[signal.Signals] = (signal.SIGTERM,),
    refuse: Callable[[str], None] | None = None,
) -> NoReturn:
    """Serve one mount until it ends; never returns, so that nothing at exit can hang.

    Args:
        arguments: The config.
        ending_signals: What ends it in good order, where it was not ignored at the start.
        refuse: Called with the reason why nothing is mounted, where nobody reads a descriptor.
    """
    for number in _IGNORED:
        if number not in ending_signals:
            signal.signal(number, signal.SIG_IGN)
    # What nohup or a shell's `&` had ignored stays so.
    ending_signals = [n for n in ending_signals if signal.getsignal(n) != signal.SIG_IGN]
    # Until the session can end in good order, they wait: a dead mount would be left behind.
    signal.pthread_sigmask(signal.SIG_BLOCK, ending_signals)
    config = _config(*arguments)
    if config.ignores_signals:
        for number in ending_signals:
            signal.signal(number, signal.SIG_IGN)
        ending_signals = []
    log_to(config.log_path)
    status = 1
    try:
        file_system = _open(config)
        _mount(config, file_system.operations)
        _tell(config.ready_fd, "ready")
        status = _serve(config, file_system.pump, ending_signals)
        if file_system.overlay is not None:
            file_system.overlay.close()
    except BaseException as error:
        reason = _one_line(error)
        if not isinstance(error, _REASONS):
            log.exception("the server ends")
        _tell(config.ready_fd, f"error {reason}")
        if refuse is not None:
            refuse(reason)
    finally:
        logging.shutdown()
        os._exit(status)


def serve_next(fd: int) -> NoReturn:
    """Fork a server for the config that waits at a socket, and end; called in a fork of one's own.

    Who forked has the other end of `Stem.at`. Python and its modules are in memory once, then.
    """
    main([str(fd), _FOR_ONE])


def _config(argument: str, how: str = "") -> ServerConfig:
    """Return what to serve; ends the process where there is nothing."""
    if not argument.isdecimal():
        return ServerConfig.from_json(argument)
    os.chdir("/")
    config = wait_for_config(int(argument), is_for_one=how == _FOR_ONE)
    if config is None:
        os._exit(0)
    return config


def _open(config: ServerConfig) -> FileSystem:
    """Open everything that lies outside the mount."""
    os.chdir("/")  # a working directory would keep a file system of the owner's busy
    os.umask(0)  # the modes that arrive have the client's mask applied
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return open_file_system(config)


def _mount(config: ServerConfig, operations: pyfuse3.Operations) -> None:
    """Mount; raises OSError with libfuse's own words, which it prints and does not return."""
    with _captured_stderr() as said:
        try:
            pyfuse3.init(operations, config.mountpoint, mount_options(config))
        except RuntimeError as error:
            text = " ".join(os.pread(said, 4096, 0).decode(errors="replace").split())
            raise OSError(0, text or str(error), config.mountpoint) from error


@contextlib.contextmanager
def _captured_stderr() -> Iterator[int]:
    """Collect what this process and its children print on descriptor 2; yields a readable fd."""
    collected = os.memfd_create("stderr")
    kept = os.dup(2)
    os.dup2(collected, 2)
    try:
        yield collected
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(collected)


def _serve(config: ServerConfig, pump: Pump, ending_signals: Collection[signal.Signals]) -> int:
    """Run the session to its end and take the mount away; return the exit status."""
    try:
        trio.run(_until_the_end, pump, config.lifeline_fd, ending_signals)
        status = 0
    except BaseException:
        log.exception("the session failed")
        status = 1
    # Lazily, as users may still be inside; with this process their connection ends too.
    with _captured_stderr():
        pyfuse3.close(unmount=True)
    return status


async def _until_the_end(
    pump: Pump, lifeline_fd: int, ending_signals: Collection[signal.Signals]
) -> None:
    """Return when the mount, its owner or a signal ends the session."""
    # What is alive now lives as long as the process: collections need not look at it. What comes
    # is listings, which live long and hold no cycles: with Python's threshold of 700 objects, a
    # third of a cold walk's time went into looking at them again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_at_signal, ending_signals, nursery.cancel_scope)
        if lifeline_fd >= 0:
            nursery.start_soon(_cancel_at_end_of_file, lifeline_fd, nursery.cancel_scope)
        await pump.run()
        nursery.cancel_scope.cancel()


async def _cancel_at_signal(
    ending_signals: Collection[signal.Signals], scope: trio.CancelScope
) -> None:
    if not ending_signals:
        return
    with trio.open_signal_receiver(*ending_signals) as signals:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ending_signals)
        async for _ in signals:
            scope.cancel()


async def _cancel_at_end_of_file(fd: int, scope: trio.CancelScope) -> None:
    """Watch a pipe or socket whose other end the owner holds, or the owner's pidfd."""
    while True:
        await trio.lowlevel.wait_readable(fd)
        try:
            if os.read(fd, 512):
                continue
        except OSError as error:
            log.debug("lifeline: %s", error)  # a pidfd is readable at its process's end, only
        scope.cancel()
        return


def _tell(ready_fd: int, line: str) -> None:
    """Write the one line and close; a starter that no longer listens ends by the lifeline."""
    with contextlib.suppress(OSError):
        os.write(ready_fd, f"{line}\n".encode(errors="replace"))
        os.close(ready_fd)


def _one_line(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        text = error.strerror or str(error)
        text += "" if error.filename is None else f": {os.fsdecode(error.filename)!r}"
    elif isinstance(error, _REASONS):
        text = str(error)
    return " ".join(text.split())


if __name__ == "__main__":
    main(sys.argv[1:])
