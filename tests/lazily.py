"""A user with a lazy image, and a registry whose network can be made to fail."""

from dataclasses import dataclass
from pathlib import Path

from executable import Rootless
from fault_proxy import Fault, FaultProxy

SLOW = 6e6
"""Bytes a second, at which the background does not get far in a short run."""
LATE = "/var/lib/dpkg/info/zlib1g:amd64.list"
"""A file at the end of the lowest layer."""


@dataclass(frozen=True, slots=True)
class Lazily:
    """The executable, and a proxy before the registry.

    Attributes:
        rootless: In folders of its own.
        proxy: What it takes for the registry.
        image: The image's name there.
    """

    rootless: Rootless
    proxy: FaultProxy
    image: str

    def run(self, *words: str) -> list[str]:
        """Return the words of a run."""
        return ["run", "-q", "--tls-verify=false", *words]

    def pull(self, *words: str) -> str:
        """Pull; lazily where a word says so."""
        return self.rootless.ok("pull", "-q", "--tls-verify=false", *words, self.image)

    def folders(self) -> list[Path]:
        """Return the lazy layers of the store."""
        return list((self.rootless.home.store / "lazy/sha256").glob("[0-9a-f]*"))

    def bytes_of_blobs(self) -> int:
        """Return how many bytes of blobs were asked for by ranges."""
        size = 0
        for entry in self.proxy.log():
            found = entry["headers"].get("range", "")
            if found and entry["status"] == 206:
                first, last = found.removeprefix("bytes=").split("-")
                size += int(last) - int(first) + 1
        return size


NO_NETWORK = Fault("", cut=-1)
"""Every connection is closed before the answer."""
