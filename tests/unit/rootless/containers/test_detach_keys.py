"""The keys that leave a container running."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.containers.detach_keys import DEFAULT, DetachKeys, parse
from rootless.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (DEFAULT, b"\x10\x11"),
        ("", b""),
        ("a,ctrl-x", b"a\x18"),
        ("ctrl-@,ctrl-[,ctrl-_", b"\x00\x1b\x1f"),
        ("CTRL-A", b"\x01"),
    ],
)
def test_sequences(text: str, keys: bytes) -> None:
    """Characters and control characters."""
    assert parse(text) == keys


@pytest.mark.parametrize("text", [",", "ab", "ctrl-", "ctrl-1", "ctrl-ab", "é", "a,,b"])
def test_no_sequences(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidInput, match="not a sequence of keys"):
        parse(text)


def typed(keys: bytes, pieces: list[bytes]) -> tuple[bytes, bool]:
    """Return what is passed of pieces that are typed, and whether the keys were among them."""
    found = DetachKeys(keys)
    passed = b""
    for piece in pieces:
        passed += found.filter(piece)
        if found.are_pressed:
            break
    return passed, found.are_pressed


@given(st.binary(max_size=9), st.integers(0, 20))
def test_wherever_the_input_is_cut(before: bytes, cut: int) -> None:
    """What came before the keys is passed, also where they come in two pieces."""
    keys = b"\x10\x11"
    before = before.replace(keys, b"")
    data = before + keys + b"rest"
    assert typed(keys, [data[:cut], data[cut:]]) == (data[: data.index(keys)], True)


@given(st.lists(st.sampled_from([b"a", b"\x10", b"\x10\x10", b"b\x10"])))
def test_a_beginning_alone(pieces: list[bytes]) -> None:
    """What only begins like the keys is passed with what follows it."""
    passed, pressed = typed(b"\x10\x11", [*pieces, b"c"])
    assert (passed, pressed) == (b"".join(pieces) + b"c", False)


def test_no_keys() -> None:
    """Everything is passed."""
    assert typed(b"", [b"\x10\x11"]) == (b"\x10\x11", False)
