"""Descriptors."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.errors import InvalidInput
from rootless.oci.descriptor import Descriptor, Platform, parse_descriptor
from rootless.oci.digest import sha256_of
from rootless.oci.document import Node, parse_document

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
descriptors = st.builds(
    Descriptor,
    words,
    st.binary(max_size=4).map(sha256_of),
    st.integers(0, 2**63),
    st.dictionaries(words, words, max_size=3),
    st.none() | st.builds(Platform, words, words, words),
)


@settings(database=None)
@given(descriptor=descriptors)
def test_written_and_read(descriptor: Descriptor) -> None:
    """A descriptor that is written reads back as the same."""
    data = json.dumps(descriptor.to_json()).encode()
    assert parse_descriptor(parse_document(data, "it")) == descriptor


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"digest": None}, "digest is missing"),
        ({"digest": "sha256:0"}, "at it digest"),
        ({"digest": 1}, "digest is not a string"),
        ({"size": None}, "size is missing"),
        ({"size": -1}, "size is not a whole number"),
        ({"size": "1"}, "size is not a whole number"),
        ({"platform": "linux"}, "platform is not an object"),
        ({"annotations": {"a": 1}}, "annotations.a is not a string"),
    ],
)
def test_faults(change: dict[str, Any], fault: str) -> None:
    """Each member that is missing or of the wrong kind is named."""
    good = Descriptor("x/y", sha256_of(b""), 0).to_json()
    with pytest.raises(InvalidInput, match=fault):
        parse_descriptor(Node({**good, **change}, "it"))


def test_platform_in_words() -> None:
    """A platform is shown as one types it; one that says nothing is unknown."""
    assert str(Platform("linux", "arm", "v7")) == "linux/arm/v7"
    assert str(Platform("linux", "amd64")) == "linux/amd64"
    assert str(Platform()) == "unknown"
