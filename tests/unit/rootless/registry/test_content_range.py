"""Which part of a blob an answer is: RFC 9110, section 14.4."""

import httpx
import pytest

from rootless.errors import IntegrityError, RegistryError
from rootless.registry.content_range import check_range


def check(field: str, *, status: int = 206, length: str = "") -> None:
    """Check an answer to a request for bytes 10 to 19 of 100."""
    headers = {"Content-Range": field, **({"Content-Length": length} if length else {})}
    check_range(httpx.Response(status, headers=headers), (10, 19), 100, "blob")


def test_the_part_asked_for() -> None:
    """It passes, with and without a total or a length."""
    check("bytes 10-19/100")
    check("bytes 10-19/*", length="10")


@pytest.mark.parametrize(
    ("field", "status", "length"),
    [
        ("bytes 10-19/100", 200, ""),
        ("", 206, ""),
        ("bytes */100", 206, ""),
        ("bytes 10-18/100", 206, ""),
        ("bytes 9-19/100", 206, ""),
        ("bytes 10-19/100", 206, "11"),
        ("bytes 10-19/" + "9" * 5000, 206, ""),
    ],
)
def test_another_part(field: str, status: int, length: str) -> None:
    """It is the registry's fault."""
    with pytest.raises(RegistryError, match="registry sends"):
        check(field, status=status, length=length)


def test_another_size() -> None:
    """The blob is not the one of the descriptor."""
    with pytest.raises(IntegrityError, match="blob has 101 bytes, not 100"):
        check("bytes 10-19/101")
