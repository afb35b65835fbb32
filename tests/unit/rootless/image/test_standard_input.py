"""Tests of rootless.image.standard_input."""

import os
import sys

import pytest

from rootless.errors import InvalidInput
from rootless.image.standard_input import piped


def test_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is piped in is read."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as given:
        monkeypatch.setattr(sys, "stdin", given)
        os.write(writer, b"x")
        os.close(writer)
        assert os.read(piped("nothing to load", "pipe it in"), 9) == b"x"


def test_nothing_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal and a closed one are told apart."""
    other, terminal = os.openpty()
    with os.fdopen(terminal) as given:
        monkeypatch.setattr(sys, "stdin", given)
        with pytest.raises(InvalidInput, match="nothing: standard input is a terminal"):
            piped("nothing", "pipe it in")
    os.close(other)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InvalidInput, match="nothing: standard input is closed"):
        piped("nothing", "pipe it in")
