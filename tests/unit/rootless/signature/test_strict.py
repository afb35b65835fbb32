"""`rootless.signature.strict`: JSON that can be read in one way only."""

import pytest

from rootless.errors import InvalidInput
from rootless.signature.strict import names_of, only, parse_strictly


def test_a_document() -> None:
    """It is read as any other; names of nulls are names too."""
    node = parse_strictly(b'{"a":{"b":1},"c":null}', "policy", 100)
    assert node.require("a").require("b").as_integer() == 1
    assert names_of(node) == ("a", "c")
    only(node, "a", "c", "d")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":2}', "policy is not JSON: the field 'a' is there twice"),
        (b'{"x":[{"a":1,"b":2,"a":1}]}', "the field 'a' is there twice"),
        (b"", "policy is not JSON"),
        (b"\xff", "policy is not JSON"),
        (b"{} {}", "policy is not JSON"),
        (b"[" * 1000, "policy is not valid: nested too deeply"),
        (b" " * 2000, "policy is too large: 2000 bytes"),
    ],
)
def test_what_is_refused(data: bytes, reason: str) -> None:
    """Each in one line."""
    with pytest.raises(InvalidInput, match=reason):
        parse_strictly(data, "policy", 1000)


@pytest.mark.parametrize("data", [b'{"b":1}', b'{"b":null}', b'{"A":1}'])
def test_unknown_fields(data: bytes) -> None:
    """They are refused, be they null."""
    with pytest.raises(InvalidInput, match="policy is not valid: document has the unknown field"):
        only(parse_strictly(data, "policy", 100), "a")


def test_what_is_no_object() -> None:
    """It has no names."""
    with pytest.raises(InvalidInput, match="is not an object"):
        only(parse_strictly(b"[]", "policy", 100))
