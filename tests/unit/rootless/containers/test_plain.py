"""Data classes as JSON and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NewType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from living_records import a_record

from rootless.containers.network.network import Network
from rootless.containers.plain import from_document, to_document
from rootless.containers.record import Record
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Spec
from rootless.runtime.seccomp import SeccompFilter

Name = NewType("Name", str)


@dataclass(frozen=True, slots=True)
class Inner:
    """A member that is a class."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class Other:
    """What may stand in its place."""

    path: Path = Path("/x")


@dataclass(frozen=True, slots=True)
class Outer:
    """Every kind of member."""

    name: Name
    inner: Inner | Other = field(default_factory=Inner)
    maybe: Inner | None = None
    words: tuple[str, ...] = ()
    pairs: tuple[tuple[int, str], ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    seconds: float = 1.0
    flag: bool = False
    anything: Any = None


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.from_type(Spec), st.from_type(Network), st.binary(max_size=40))
def test_every_member_of_a_container(spec: Spec, network: Network, program: bytes) -> None:
    """A record with whatever a spec, a network and a filter can hold comes back the same."""
    whole = a_record()
    seccomp = SeccompFilter(program, 3)
    container = replace(whole.container, spec=spec, network=network, seccomp=seccomp)
    whole = replace(whole, container=container)
    assert from_document(Record, json.loads(json.dumps(to_document(whole)))) == whole


_TEXT = st.text(st.characters(exclude_categories=()), max_size=5)
_OUTERS = st.builds(
    Outer,
    name=_TEXT.map(Name),
    inner=st.builds(Inner) | st.builds(Other, path=_TEXT.map(Path)),
    maybe=st.none() | st.builds(Inner),
    words=st.lists(_TEXT).map(tuple),
    pairs=st.lists(st.tuples(st.integers(), _TEXT)).map(tuple),
    files=st.dictionaries(_TEXT, st.binary(max_size=9)),
    seconds=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
)


@given(_OUTERS)
def test_comes_back_the_same(value: Outer) -> None:
    """Through JSON, with names and bytes that are no text."""
    assert from_document(Outer, json.loads(json.dumps(to_document(value)))) == value


def test_other_versions() -> None:
    """What a document lacks has its default; what the class does not know is passed over."""
    assert from_document(Outer, {"name": "n", "later": [1]}) == Outer(Name("n"))


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "Outer is not an object"),
        ({}, "Outer.name is not there"),
        ({"name": 7}, "Outer.name is not of type str"),
        ({"name": "n", "flag": 1}, "Outer.flag is not of type bool"),
        ({"name": "n", "inner": {"class": "Nobody"}}, "Outer.inner is not of a known class"),
        ({"name": "n", "inner": {"class": "Inner", "number": "1"}}, r"inner.number is not of type"),
        ({"name": "n", "maybe": 3}, "Outer.maybe is not an object"),
        ({"name": "n", "words": "ab"}, "Outer.words is not an array"),
        ({"name": "n", "pairs": [[1]]}, r"Outer.pairs\[0\] is not an array of 2"),
        ({"name": "n", "files": []}, "Outer.files is not an object"),
    ],
)
def test_a_damaged_document(document: Any, fault: str) -> None:
    """What is wrong is named by its place."""
    with pytest.raises(InvalidInput, match=fault):
        from_document(Outer, document)
