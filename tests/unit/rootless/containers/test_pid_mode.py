"""`--pid`."""

import pytest

from rootless.containers.pid_mode import PidKind, PidMode, parse_pid_mode
from rootless.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("", PidMode()),
        ("private", PidMode()),
        ("host", PidMode(PidKind.HOST)),
        ("container:web", PidMode(PidKind.CONTAINER, "web")),
    ],
)
def test_words(text: str, mode: PidMode) -> None:
    """The words of podman's option are read."""
    assert parse_pid_mode(text) == mode


@pytest.mark.parametrize("text", ["container", "container:", "host:", "private:x", "ns:/x", ":"])
def test_refused(text: str) -> None:
    """Other words are refused, and the right ones are told."""
    with pytest.raises(InvalidInput, match="private, host, container:NAME") as caught:
        parse_pid_mode(text)
    assert caught.value.on == text
