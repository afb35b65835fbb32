"""`fuse.closing`: what is left is closed."""

import pytest

from fuse.closing import Closing


class Held(Closing):
    """Counts how often it is closed."""

    closed = 0

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_closed_at_the_end() -> None:
    """The object itself is given, and closed once."""
    held = Held()
    with held as given:
        assert given is held
        assert held.closed == 0
    assert held.closed == 1


def test_closed_after_an_error() -> None:
    """An error passes, and the object is closed."""
    held = Held()
    with pytest.raises(KeyError), held:
        raise KeyError
    assert held.closed == 1
