"""What a server is told."""

import pytest

from fuse.server_config import ServerConfig


def test_round_trip() -> None:
    """What is written is what is read."""
    config = ServerConfig(
        mountpoint="/m",
        tree="/t\udce9",
        layers=("/a", "/b"),
        ready_fd=3,
        lifeline_fd=4,
        uid_map=((0, 1), (1, 65535)),
        use_fusermount=True,
    )
    assert ServerConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("text", ["", "{", "[]", '{"layers": []}'])
def test_anything_else_is_refused(text: str) -> None:
    """A document that is none raises."""
    with pytest.raises((ValueError, TypeError, KeyError)):
        ServerConfig.from_json(text)
