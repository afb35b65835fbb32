"""Which driver a run gets; what needs a mount is tested in tests/run and tests/mounted."""

import pytest

from rootless.errors import InvalidInput
from rootless.overlay.driver import DRIVERS, check_driver


@pytest.mark.parametrize("name", DRIVERS)
def test_known_drivers(name: str) -> None:
    """A driver's name is returned as it is."""
    assert check_driver(name) == name


@pytest.mark.parametrize("name", ["", "overlay2", "Hybrid"])
def test_unknown_drivers(name: str) -> None:
    """Any other word is refused, with those that there are."""
    with pytest.raises(InvalidInput, match=r"unknown overlay driver.*auto, hybrid, fuse"):
        check_driver(name)
