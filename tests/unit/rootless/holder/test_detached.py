"""A client that waits for the ID of a container in the background."""

import marshal
import socket

import pytest

from rootless.errors import Conflict, RootlessError
from rootless.holder.detached import await_id


def told(*messages: dict[str, object]) -> socket.socket:
    """Return the end of a connection over which these have come, and its end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        for message in messages:
            theirs.send(marshal.dumps(message))
    return ours


def test_it_prints_the_id(capfd: pytest.CaptureFixture[str]) -> None:
    """The container runs: its ID is a line on standard output."""
    with told({"id": "ab12"}) as door:
        assert await_id(door) == 0  # type: ignore[arg-type]
    assert capfd.readouterr().out == "ab12\n"


def test_what_is_wrong_is_raised() -> None:
    """An error is the one that was told; a keeper that is gone is one of its own."""
    error = Conflict("the name is in use", "web")
    with told({"error": error.to_record()}) as door, pytest.raises(Conflict, match="in use"):
        await_id(door)  # type: ignore[arg-type]
    with told() as door, pytest.raises(RootlessError, match="killed"):
        await_id(door)  # type: ignore[arg-type]
