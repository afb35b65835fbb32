"""`rootless.config.option_values`: TOML's values as values of options."""

from pathlib import Path
from typing import Any

import pytest

from rootless.config.option_values import FLAG, TEXT, TEXTS, Value, table, value_of
from rootless.errors import InvalidInput

OPTIONS = {
    "read-only": FLAG,
    "network": TEXT,
    "tls-verify": TEXT,
    "cpus": TEXT,
    "volume": TEXTS,
    "env": TEXTS,
}
FILE = Path("/f.toml")


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("read-only", True, True),
        ("network", "none", "none"),
        ("tls-verify", False, "false"),
        ("cpus", 1.5, "1.5"),
        ("volume", ["/a:/b", "/c:/d"], ("/a:/b", "/c:/d")),
        ("volume", "/a:/b", ("/a:/b",)),
        ("env", {"A": "x", "N": 3}, ("A=x", "N=3")),
        ("env", ["HOME", "A=b"], ("HOME", "A=b")),
    ],
)
def test_values(name: str, given: Any, value: Value) -> None:
    """Each kind of option takes its kind of value."""
    assert value_of(name, given, OPTIONS, FILE, "p") == value


@pytest.mark.parametrize(
    ("name", "given", "what"),
    [
        ("read-only", "yes", "p (it must be true or false)"),
        ("network", True, "p (it must be a string)"),
        ("network", ["none"], "p (it must be a string)"),
        ("network", "a\0b", "p (it must be a string)"),
        ("volume", 3, "p (it must be an array of strings)"),
        ("volume", {"a": "b"}, "p (it must be an array of strings)"),
        ("volume", ["a", []], "p[1] (it must be a string)"),
        ("env", {"A": ["x"]}, "p.A (it must be a string)"),
        ("env", 1, "p (it must be an array of strings, or a table of NAME = VALUE)"),
        ("netwrok", "x", "p (no such option; did you mean network?"),
        ("read_only", True, "p (no such option; did you mean read-only?"),
    ],
)
def test_faults(name: str, given: Any, what: str) -> None:
    """A fault is one line with the file, the place and what may be there."""
    with pytest.raises(InvalidInput) as error:
        value_of(name, given, OPTIONS, FILE, "p")
    assert f"wrong setting: /f.toml: {what}" in str(error.value)


def test_a_table_is_one() -> None:
    """What must be a table is refused where it is none."""
    assert table({"a": 1}, FILE, "p") == {"a": 1}
    with pytest.raises(InvalidInput, match=r"p .it must be a table"):
        table([], FILE, "p")
