"""`--publish`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.containers.network.ports import (
    PROTOCOLS,
    PortMapping,
    check_disjoint,
    parse_mapping,
    parse_publish,
)
from rootless.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("80", PortMapping(80)),
        (":80", PortMapping(80)),
        ("8080:80", PortMapping(80, 8080)),
        ("8080:80/tcp", PortMapping(80, 8080)),
        ("53:53/udp", PortMapping(53, 53, protocol="udp")),
        ("53/udp", PortMapping(53, protocol="udp")),
        ("127.0.0.1:8080:80", PortMapping(80, 8080, "127.0.0.1")),
        ("127.0.0.1::80", PortMapping(80, 0, "127.0.0.1")),
        ("[::1]:8080:80", PortMapping(80, 8080, "::1")),
        ("[0::0001]:8080:80", PortMapping(80, 8080, "::1")),
        ("8000-8003:80-83", PortMapping(80, 8000, length=4)),
        ("80-83/udp", PortMapping(80, protocol="udp", length=4)),
        ("0.0.0.0:65535:65535", PortMapping(65535, 65535, "0.0.0.0")),
    ],
)
def test_forms(text: str, mapping: PortMapping) -> None:
    """[IP:][HOST]:CONTAINER[/PROTOCOL], ranges on both sides."""
    assert parse_publish(text) == mapping


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not a port to publish"),
        ("http", "not a port to publish: http"),
        ("8080:", "not a port to publish"),
        ("8080:80/sctp", "only tcp and udp"),
        ("8080:80/", "only tcp and udp"),
        ("0:80", "between 1 and 65535"),
        ("8080:65536", "between 1 and 65535"),
        ("83-80", "the lower one first"),
        ("8000-8001:80", "differ in length"),
        ("host:8080:80", "not an address of the host"),
        ("1.2.3:8080:80", "not an address of the host"),
        ("::1:8080:80", "needs brackets"),
        (":8080:80", "not an address of the host"),
        ("-1:80", "not a port to publish"),
        ("٣:80", "not a port to publish"),
        ("8080:80\n", "not a port to publish"),
    ],
)
def test_refused(text: str, fault: str) -> None:
    """What is no port, address or protocol is refused before anything is made."""
    with pytest.raises(InvalidInput, match=fault):
        parse_publish(text)


@st.composite
def mappings(draw: st.DrawFn) -> PortMapping:
    """Return any mapping that can be written."""
    length = draw(st.integers(1, 50))
    return PortMapping(
        draw(st.integers(1, 65536 - length)),
        draw(st.just(0) | st.integers(1, 65536 - length)),
        draw(st.just("") | st.ip_addresses().map(str)),
        draw(st.sampled_from(PROTOCOLS)),
        length,
    )


@given(mappings())
def test_text_and_document_read_back(mapping: PortMapping) -> None:
    """What a mapping is written as is read as the same mapping."""
    assert parse_publish(str(mapping)) == mapping
    assert parse_mapping(json.loads(json.dumps(mapping.to_document()))) == mapping


@given(mappings())
def test_singly(mapping: PortMapping) -> None:
    """A range is its ports one by one, in step on both sides."""
    each = mapping.singly()
    assert [one.container_port for one in each] == [
        mapping.container_port + n for n in range(mapping.length)
    ]
    expected = list(mapping.host_ports()) if mapping.host_port else [0] * mapping.length
    assert [one.host_port for one in each] == expected
    assert {one.length for one in each} == {1}


def test_document_has_podman_s_keys() -> None:
    """The record reads as `podman inspect` has it."""
    assert PortMapping(80, 8080, "::1", "tcp", 2).to_document() == {
        "container_port": 80,
        "host_port": 8080,
        "host_ip": "::1",
        "protocol": "tcp",
        "range": 2,
    }


@pytest.mark.parametrize("change", [{"range": "x"}, {"protocol": "sctp"}, {"host_port": 70000}])
def test_damaged_document(change: dict[str, object]) -> None:
    """A record that was changed by hand is refused."""
    with pytest.raises(InvalidInput):
        parse_mapping({**PortMapping(80, 8080).to_document(), **change})
    with pytest.raises(InvalidInput, match="not a published port"):
        parse_mapping({})


@pytest.mark.parametrize(
    "texts",
    [
        ("8080:80", "8080:81"),
        ("8080:80", "127.0.0.1:8080:81"),
        ("0.0.0.0:8080:80", "127.0.0.1:8080:81"),
        ("8000-8010:80-90", "8005:1"),
        ("53:53/udp", "53:54/udp"),
    ],
)
def test_published_twice(texts: tuple[str, ...]) -> None:
    """One port of the host leads to one place."""
    with pytest.raises(InvalidInput, match="published twice"):
        check_disjoint(map(parse_publish, texts))


@pytest.mark.parametrize(
    "texts",
    [
        ("53:53/udp", "53:53/tcp"),
        ("127.0.0.1:80:80", "127.0.0.2:80:80"),
        ("0.0.0.0:80:80", "[::1]:80:80"),
        ("80", "80"),
        ("8000-8004:80-84", "8005:80"),
    ],
)
def test_not_twice(texts: tuple[str, ...]) -> None:
    """Other protocols, addresses and ports to be chosen are no contradiction."""
    check_disjoint(map(parse_publish, texts))
