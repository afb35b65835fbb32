"""`--network`: the words of it, as podman spells them; pure."""

from dataclasses import dataclass
from enum import StrEnum

from rootless.errors import InvalidInput


class Kind(StrEnum):
    """Which network a container gets."""

    HOST = "host"
    NONE = "none"
    PRIVATE = "private"  # one of the next two, whichever is there
    PASTA = "pasta"
    SLIRP4NETNS = "slirp4netns"
    CONTAINER = "container"  # joined: that of another container
    NAMESPACE = "ns"  # joined: that of a path


_SPELLINGS = "host, none, private, pasta, slirp4netns, container:NAME, ns:PATH"
_TAKES_OPTIONS = (Kind.PASTA, Kind.SLIRP4NETNS)
_TAKES_TARGET = (Kind.CONTAINER, Kind.NAMESPACE)


@dataclass(frozen=True, slots=True)
class NetworkMode:
    """One value of `--network`.

    Attributes:
        kind: What stands before the colon.
        options: Of pasta and slirp4netns: the words after it, separated by commas.
        target: Of a network to join: the container's name or ID, or the path.
    """

    kind: Kind = Kind.HOST
    options: tuple[str, ...] = ()
    target: str = ""

    @property
    def is_joined(self) -> bool:
        """Tell whether it is there already."""
        return self.kind in _TAKES_TARGET

    def __str__(self) -> str:
        rest = self.target or ",".join(self.options)
        return f"{self.kind}:{rest}" if rest else str(self.kind)


def parse_mode(text: str) -> NetworkMode:
    """Read a value of `--network`; raises InvalidInput."""
    word, colon, rest = text.partition(":")
    if word not in tuple(Kind):
        raise InvalidInput("unknown network", text, f"one of {_SPELLINGS}")
    kind = Kind(word)
    if kind in _TAKES_TARGET:
        if not rest:
            raise InvalidInput("--network says not which", text, f"one of {_SPELLINGS}")
        if kind is Kind.NAMESPACE and not rest.startswith("/"):
            raise InvalidInput("ns: needs an absolute path", text, "such as ns:/proc/PID/ns/net")
        return NetworkMode(kind, target=rest)
    if colon and kind not in _TAKES_OPTIONS:
        raise InvalidInput(f"the network {word} has no options", text)
    return NetworkMode(kind, tuple(filter(None, rest.split(","))))
