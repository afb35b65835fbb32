"""A server that is started before it is known what it will serve.

Starting Python and pyfuse3 takes longer than all else that a mount needs, so that who is
about to want one starts it first and does his other work beside. The spare server waits on a socket
for its config and its descriptors (unix(7), SCM_RIGHTS), goes into the namespaces of who sends them
(setns(2)), and is from there on a server as any; it ends when nobody sends any. For who wants one
after the other it stays, and forks a server for each (`Stem`): that takes a few milliseconds.

What starts it is kept free of imports, as it comes before everything.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .server_config import ServerConfig

_MESSAGE_BYTES = 1 << 20
_MOST_FDS = 16
_NUMBER_BYTES = 20
_FIELDS = ("ready_fd", "lifeline_fd", "fetcher_fd", "upperdir_fd", "workdir_fd")
_NAMESPACES = ("user", "mnt")


class Spare:
    """The starter's side of a spare server.

    Attributes:
        pid: The server, a child of the process that made this object.
        pidfd: The same.
        fd: The socket to it.
    """

    def __init__(self, environment: "Mapping[str, str]") -> None:
        """Start one; raises OSError."""
        from _socket import AF_UNIX, SOCK_SEQPACKET, socketpair  # noqa: PLC0415 - of the C part

        ours, theirs = (end.detach() for end in socketpair(AF_UNIX, SOCK_SEQPACKET))
        try:
            os.set_inheritable(theirs, True)
            null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
            copies = [(os.POSIX_SPAWN_DUP2, 0, fd) for fd in (1, 2)]
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-P", "-m", f"{__package__}.server", str(theirs)],
                environment,
                file_actions=[null, *copies],
                setsid=True,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self.fd = ours
        self.pidfd = os.pidfd_open(self.pid)

    def serve(self, config: "ServerConfig") -> "Adopted | None":
        """Let it serve; None where it has ended. The config's descriptors stay the caller's.

        It goes into the user and mount namespaces of the caller and takes his IDs.
        """
        pidfd, self.pidfd = self.pidfd, -1
        is_there = self._give(config)
        self.close()
        if not is_there:
            os.close(pidfd)
            return None
        return Adopted(self.pid, pidfd)

    def _give(self, config: "ServerConfig", reply_fd: int = -1) -> bool:
        import json  # noqa: PLC0415
        import socket  # noqa: PLC0415
        from array import array  # noqa: PLC0415

        fds = [getattr(config, name) for name in _FIELDS if getattr(config, name) >= 0]
        fds += [reply_fd] if reply_fd >= 0 else []
        opened = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in _NAMESPACES]
        message = json.dumps([config.to_json(), os.geteuid(), os.getegid(), reply_fd >= 0]).encode()
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [*opened, *fds]))
        try:
            with socket.socket(fileno=os.dup(self.fd)) as end:
                end.sendmsg([message], [rights])
        except (BrokenPipeError, ConnectionResetError):
            return False
        finally:
            for fd in opened:
                os.close(fd)
        return True

    def close(self) -> None:
        """Close the socket and the pidfd: one that waits ends. Harmless when repeated."""
        for fd in (self.fd, self.pidfd):
            if fd >= 0:
                os.close(fd)
        self.fd = self.pidfd = -1


class Stem(Spare):
    """One that forks a server for each config, and stays; what its starter forks can ask it."""

    @classmethod
    def at(cls, fd: int) -> "Stem":
        """Return what asks the process at the other end of a socket (`serve_next`)."""
        stem = cls.__new__(cls)
        stem.pid, stem.pidfd, stem.fd = 0, -1, fd
        return stem

    def serve(self, config: "ServerConfig") -> "Adopted | None":
        """Let it fork a server; None where it has ended."""
        import socket  # noqa: PLC0415

        if self.fd < 0:
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs:
                is_there = self._give(config, theirs.fileno())
            if not is_there:
                return None
            data, fds, _, _ = socket.recv_fds(ours, _NUMBER_BYTES, 1)
        return Adopted(int(data), fds[0]) if fds else None


class Adopted:
    """A server that another process started, in the place of a `subprocess.Popen`.

    Attributes:
        pid: The server.
        returncode: None while it runs; 1 when it has ended, whose child it is knows how.
    """

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd = pidfd

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            import select  # noqa: PLC0415
            import subprocess  # noqa: PLC0415

            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            if not poll.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("fuse.server", timeout or 0)
            os.close(self._pidfd)
            self.returncode = 1
        return self.returncode

    def kill(self) -> None:
        """End it by force; harmless when it has ended."""
        import signal  # noqa: PLC0415

        if self.returncode is None:
            try:
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            except ProcessLookupError:
                return


def wait_for_config(fd: int, *, is_for_one: bool = False) -> "ServerConfig | None":
    """Wait for what to serve, in the namespaces and with the IDs of who says it; None for the end.

    Descriptors that the starter happened to leave open are closed. With `is_for_one` it is the end
    when a server has been forked.
    """
    import json  # noqa: PLC0415
    import socket  # noqa: PLC0415
    from array import array  # noqa: PLC0415
    from dataclasses import replace  # noqa: PLC0415

    from .server_config import ServerConfig  # noqa: PLC0415

    os.closerange(3, fd)
    os.closerange(fd + 1, 1 << 20)
    with socket.socket(fileno=fd) as end:
        while True:
            size = socket.CMSG_LEN(_MOST_FDS * array("i").itemsize)
            data, ancillary, _, _ = end.recvmsg(_MESSAGE_BYTES, size, socket.MSG_CMSG_CLOEXEC)
            if not data:
                return None
            fds = array("i")
            for _, _, payload in ancillary:
                fds.frombytes(payload)
            text, uid, gid, has_reply = json.loads(data)
            if not has_reply or _is_forked(fds):
                break
            if is_for_one:
                return None
    config = ServerConfig.from_json(text)
    received = list(fds)
    namespaces = [received.pop(0) for _ in _NAMESPACES]
    named = [name for name in _FIELDS if getattr(config, name) >= 0]
    own: Any = dict(zip(named, received, strict=True))
    config = replace(config, **own)
    _enter(namespaces, uid, gid)
    if config.log_path:  # which may lie on what is mounted there only
        _log_stderr(config.log_path)
    return config


def _is_forked(fds: "array[int]") -> bool:
    """Fork a server; return whether this is it. Who stays tells of it, and forgets what it got."""
    import signal  # noqa: PLC0415
    import socket  # noqa: PLC0415

    reply_fd = fds.pop()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to reap it
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(reply_fd)
        os.setsid()
        return True
    pidfd = os.pidfd_open(pid)
    with socket.socket(fileno=reply_fd) as reply:
        try:
            socket.send_fds(reply, [b"%d" % pid], [pidfd])
        except BrokenPipeError:  # who asked has ended, and the server will
            pass
        finally:
            for fd in (pidfd, *fds):
                os.close(fd)
    return False


def _log_stderr(path: str) -> None:
    log_fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    os.dup2(log_fd, 2)
    os.close(log_fd)


def _enter(namespaces: "Sequence[int]", uid: int, gid: int) -> None:
    """Go into the namespaces, which gives every capability there (user_namespaces(7))."""
    import ctypes  # noqa: PLC0415

    libc = ctypes.CDLL(None, use_errno=True)
    for name, fd in zip(_NAMESPACES, namespaces, strict=True):
        own = os.stat(f"/proc/self/ns/{name}")
        if not os.path.samestat(own, os.fstat(fd)) and libc.setns(fd, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), f"{name} namespace")
        os.close(fd)
    if os.getegid() != gid:
        os.setresgid(gid, gid, gid)
    if os.geteuid() != uid:
        os.setresuid(uid, uid, uid)
