"""What a server is told."""

from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuse.server_config import ServerConfig

HINTS = get_type_hints(ServerConfig)


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


@settings(database=None)
@given(st.builds(ServerConfig, **{name: st.from_type(kind) for name, kind in HINTS.items()}))
def test_any_config_is_read_as_it_was_written(config: ServerConfig) -> None:
    """Whatever the fields are, names that are no UTF-8 included."""
    assert ServerConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("text", ["", "{", "[]", '{"layers": []}'])
def test_anything_else_is_refused(text: str) -> None:
    """A document that is none raises."""
    with pytest.raises((ValueError, TypeError, KeyError)):
        ServerConfig.from_json(text)
