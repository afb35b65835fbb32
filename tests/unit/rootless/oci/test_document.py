"""JSON from outside: every fault names its place."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.errors import InvalidInput
from rootless.oci.document import HIGHEST_ID, Node, parse_document, to_bytes

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
)
names = st.text(max_size=3)
documents = st.recursive(
    scalars, lambda c: st.lists(c, max_size=3) | st.dictionaries(names, c, max_size=3), max_leaves=5
)


def node(value: Any) -> Node:
    """Return a value as it comes out of a document."""
    return parse_document(json.dumps(value).encode(), "thing")


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (lambda n: n.text("number"), "number is not a string"),
        (lambda n: n.text("nul"), "nul holds a NUL character"),
        (lambda n: n.text("half"), "half is not Unicode text"),
        (lambda n: n.texts("list"), r"list\[1\] is not a string"),
        (lambda n: n.texts("number"), "number is not an array"),
        (lambda n: n.mapping("object"), "object.b is not a string"),
        (lambda n: n.mapping("odd"), "odd holds a NUL character"),
        (lambda n: n.mapping("list"), "list is not an object"),
        (lambda n: n.flag("number"), "number is not true or false"),
        (lambda n: n.number("none"), "none is missing"),
        (lambda n: n.number("flag"), "flag is not an integer"),
        (lambda n: n.require("object").require("c").as_text(), "object.c is missing"),
        (lambda n: n.require("object").require("b").as_size(), "object.b is not a whole number"),
        (lambda n: n.require("flag").as_size(), "flag is not a whole number"),
        (lambda n: n.require("list").get("x"), "list is not an object"),
        (lambda n: n.require("list").keys_of(), "list is not an object"),
        (lambda n: n.require("minus").as_id(), "minus is not an ID from 0 to 4294967294"),
        (lambda n: n.require("unchanged").as_id(), "unchanged is not an ID"),
        (lambda n: n.require("number").as_id(), "number is not an integer"),
        (lambda n: n.require("nul").as_digest(), "nul holds a NUL"),
        (lambda n: n.require("text").as_digest(), "at thing text"),
        (lambda n: next(n.items()), "document is not an array"),
    ],
)
def test_every_fault_names_its_place(read: Callable[[Node], object], fault: str) -> None:
    """The error holds the path inside the document, and what is wrong there."""
    document = node(
        {
            "number": 1.5,
            "text": "x",
            "nul": "a\0b",
            "half": "\ud800",
            "list": ["a", 1],
            "object": {"a": "b", "b": -1},
            "odd": {"a\0": "b"},
            "flag": True,
            "minus": -1,
            "unchanged": HIGHEST_ID + 1,
        }
    )
    with pytest.raises(InvalidInput, match=fault) as caught:
        read(document)
    assert "thing" in str(caught.value)


def test_absent_and_null_are_the_same() -> None:
    """Go writes null for an empty list or object, and so may anybody."""
    for document in (node({}), node(dict.fromkeys(("a", "b"), None))):
        assert document.get("a") is None
        assert document.text("a", "x") == "x"
        assert document.texts("a") == ()
        assert document.mapping("a") == {}
        assert list(document.members("a")) == []
        assert document.flag("a") is False
        assert document.number("a", 7) == 7
        assert document.member("a").text("b") == ""
        assert document.keys_of() == ()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xff", "is not JSON"),
        (b"", "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b" " * 65, "is too large"),
    ],
)
def test_malformed_documents(data: bytes, fault: str) -> None:
    """Bytes that are no document, or too much of one, are one InvalidInput."""
    with pytest.raises(InvalidInput, match=fault):
        parse_document(data, "thing", limit=64 if fault == "is too large" else 1 << 20)


@settings(database=None, max_examples=40)
@given(value=documents)
def test_written_and_read(value: Any) -> None:
    """What is written is what is read, and the same each time."""
    data = to_bytes(value)
    assert parse_document(data, "thing").value == value
    assert to_bytes(value) == data


@settings(database=None, max_examples=40)
@given(value=documents, key=st.text(max_size=3))
def test_readers_raise_nothing_else(value: Any, key: str) -> None:
    """Whatever a document holds, a reader returns a value of its type or raises InvalidInput."""
    document = Node(value, "thing")
    readers: tuple[Callable[[], object], ...] = (
        *(document.as_text, document.as_integer, document.as_size, document.as_id),
        *(document.keys_of, lambda: list(document.items()), lambda: document.text(key)),
        *(lambda: document.texts(key), lambda: document.mapping(key), lambda: document.flag(key)),
        *(lambda: document.number(key), document.as_digest, lambda: document.member(key)),
    )
    for read in readers:
        try:
            read()
        except InvalidInput as error:
            assert str(error)  # noqa: PT017 - the only error that is allowed
