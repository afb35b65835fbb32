"""Image references."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.errors import InvalidInput
from rootless.oci.digest import sha256_of
from rootless.oci.reference import Reference, is_tag, parse_reference

DIGEST = sha256_of(b"")

components = st.from_regex(r"[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}", fullmatch=True)
domains = st.one_of(
    st.just(""),
    st.from_regex(r"[a-zA-Z0-9]{1,5}\.[a-z]{2,3}(:[0-9]{1,5})?", fullmatch=True),
    st.sampled_from(["localhost", "localhost:5000", "[::1]:80", "HOST", "h:1"]),
)
tags = st.just("") | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,5}", fullmatch=True)


@st.composite
def references(draw: st.DrawFn) -> Reference:
    """Draw a reference whose first component could not be taken for a domain."""
    path = draw(st.lists(components, min_size=1, max_size=3))
    domain = draw(domains)
    if not domain and len(path) > 1 and ("." in path[0] or path[0] == "localhost"):
        path = path[:1]
    digest = draw(st.none() | st.just(DIGEST))
    return Reference(domain, "/".join(path), draw(tags), digest)


@settings(database=None, max_examples=50)
@given(reference=references())
def test_printed_and_parsed(reference: Reference) -> None:
    """What is printed parses as the same reference."""
    assert parse_reference(str(reference)) == reference


@settings(database=None, max_examples=50)
@given(reference=references())
def test_canonical_is_stable(reference: Reference) -> None:
    """The full form has all its parts, and is its own full form."""
    full = reference.canonical()
    assert full.domain
    assert full.tag or full.digest
    assert full.canonical() == full == parse_reference(str(full))


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("debian", "localhost/debian:latest"),
        ("docker.io/debian", "docker.io/library/debian:latest"),
        ("index.docker.io/debian:12", "docker.io/library/debian:12"),
        ("docker.io/a/b", "docker.io/a/b:latest"),
        ("host:5000/x", "host:5000/x:latest"),
        ("a/b", "localhost/a/b:latest"),
        (f"q.io/x@{DIGEST}", f"q.io/x@{DIGEST}"),
    ],
)
def test_full_forms(text: str, full: str) -> None:
    """What is left out is filled in; Docker Hub's official images lie below library/."""
    assert str(parse_reference(text).canonical()) == full


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "image name is empty"),
        ("q.io/", "image name is empty"),
        (":tag", "not valid|is empty"),
        ("Debian", "must be lower case"),
        ("a/../b", "image name is not valid"),
        ("/etc/passwd", "image name is not valid"),
        ("a//b", "image name is not valid"),
        ("a b", "image name is not valid"),
        ("a\n", "image name is not valid"),
        ("a:b c", "tag is not valid"),
        ("a:.b", "tag is not valid"),
        ("a:" + "t" * 129, "tag is not valid"),
        ("a@sha256:0", "not a digest"),
        ("a@", "not a digest"),
        ("-h.io/a", "registry host is not valid"),
        ("x/" + "a" * 300, "is too long"),
        ("caf\u00e9", "image name is not valid"),
        ("\u0660", "image name is not valid"),
    ],
)
def test_what_is_none(text: str, fault: str) -> None:
    """Anything that the grammar does not have is refused, paths and control characters first."""
    with pytest.raises(InvalidInput, match=fault):
        parse_reference(text)


@settings(database=None, max_examples=50)
@given(text=st.text(max_size=12))
def test_any_text_is_a_reference_or_an_error(text: str) -> None:
    """No text makes the parser fail in another way, and none gets through that changes."""
    try:
        reference = parse_reference(text)
    except InvalidInput:
        return
    assert str(reference) == text


def test_tags() -> None:
    """A tag is recognized by itself."""
    assert is_tag("v1.0")
    assert not is_tag("-v1")
    assert not is_tag("a/b")
