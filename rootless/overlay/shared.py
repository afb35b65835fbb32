"""A lower that several runs use: the FUSE mount of an image, in namespaces that outlive a run.

It lives in a user namespace and a mount namespace which nobody lives in: descriptors keep them. Who
wants to put an overlay on it goes into both (setns(2)), and has the mount under its path there. The
server ends when nobody holds its lifeline any more.
"""

import os
import select
from dataclasses import dataclass
from pathlib import Path

from fuse.server_config import ServerConfig
from rootless.linux import namespaces
from rootless.linux.channel import Channel
from rootless.overlay.serve import last_line, start_server
from rootless.userns.create import fork_into
from rootless.userns.maps import Maps


@dataclass(slots=True)
class SharedServer:
    """The server behind it, in the place of a `serve.Server` of one's own.

    Attributes:
        pidfd: It is a child of nobody here.
        lifeline: It lives as long as one of these is open.
        log_path: Where it says what goes wrong.
    """

    pidfd: int
    lifeline: int
    log_path: str

    def stop(self) -> None:
        """Let go of it. Idempotent."""
        for fd in (self.pidfd, self.lifeline):
            if fd >= 0:
                os.close(fd)
        self.pidfd = self.lifeline = -1

    def last_words(self) -> str:
        """Return the last line that the server logged, "" if none."""
        return last_line(self.log_path)


@dataclass(slots=True)
class SharedLower:
    """A mounted lower.

    Attributes:
        path: Its mount point.
        user_fd: The user namespace.
        mount_fd: The mount namespace.
        server: The server.
        tree: The file that it serves.
    """

    path: Path
    user_fd: int
    mount_fd: int
    server: SharedServer
    tree: str = ""

    def is_whole(self) -> bool:
        """Tell whether what it serves is there and it lives: images are removed, servers killed."""
        poll = select.poll()
        poll.register(self.server.pidfd, select.POLLIN)
        return os.path.exists(self.tree) and not poll.poll(0)

    def enter(self) -> None:
        """Go into both namespaces, as root of the first; raises OSError."""
        namespaces.setns(self.user_fd, namespaces.CLONE_NEWUSER)
        self.enter_mounts()

    def enter_mounts(self) -> None:
        """Go into the mount namespace, as root of the user namespace; raises OSError."""
        namespaces.setns(self.mount_fd, namespaces.CLONE_NEWNS)

    def fds(self) -> list[int]:
        """Return its descriptors, as `from_fds` takes them."""
        return [self.user_fd, self.mount_fd, self.server.pidfd, self.server.lifeline]

    @classmethod
    def from_fds(cls, path: Path, log_path: str, fds: list[int]) -> "SharedLower":
        """Return what another process has made."""
        user_fd, mount_fd, pidfd, lifeline = fds
        return cls(path, user_fd, mount_fd, SharedServer(pidfd, lifeline, log_path))

    def close(self) -> None:
        """Let go of it. Idempotent."""
        self.server.stop()
        for fd in (self.user_fd, self.mount_fd):
            if fd >= 0:
                os.close(fd)
        self.user_fd = self.mount_fd = -1


def share(config: ServerConfig, maps: Maps, user_fd: int = -1) -> SharedLower:
    """Mount a lower in new namespaces; raises OverlayError, Precondition.

    With `user_fd` the user namespace is that one, which has these maps.
    """

    def enter() -> None:
        if user_fd >= 0:
            namespaces.setns(user_fd, namespaces.CLONE_NEWUSER)

    def body(channel: Channel) -> int:
        namespaces.unshare_mounts()
        server = start_server(config)
        opened = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("user", "mnt")]
        channel.send({"shared": True}, [*opened, server.pidfd, server.lifeline])
        return 0

    child = fork_into(maps if user_fd < 0 else None, body, before=enter)
    try:
        fds = child.expect("shared")
    finally:
        child.wait()
    return SharedLower.from_fds(Path(config.mountpoint), config.log_path, fds)
