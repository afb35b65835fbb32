"""`--pid`: the words of it, as podman spells them; pure."""

from dataclasses import dataclass
from enum import StrEnum

from rootless.errors import InvalidInput

_SPELLINGS = "one of private, host, container:NAME"


class PidKind(StrEnum):
    """Whose processes a container is among."""

    PRIVATE = "private"  # its own
    HOST = "host"
    CONTAINER = "container"  # joined: those of another container


@dataclass(frozen=True, slots=True)
class PidMode:
    """One value of `--pid`.

    Attributes:
        kind: What stands before the colon.
        target: The other container's name or ID.
    """

    kind: PidKind = PidKind.PRIVATE
    target: str = ""


def parse_pid_mode(text: str) -> PidMode:
    """Read a value of `--pid`, "" for private; raises InvalidInput."""
    word, colon, target = text.partition(":")
    if text and word not in tuple(PidKind):
        raise InvalidInput("unknown PID namespace", text, _SPELLINGS)
    kind = PidKind(word or PidKind.PRIVATE)
    if kind is PidKind.CONTAINER and not target:
        raise InvalidInput("--pid says not which", text, _SPELLINGS)
    if kind is not PidKind.CONTAINER and colon:
        raise InvalidInput(f"--pid {word} takes nothing after a colon", text, _SPELLINGS)
    return PidMode(kind, target)
