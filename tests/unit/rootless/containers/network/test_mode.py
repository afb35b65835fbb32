"""`--network`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.containers.network.mode import Kind, NetworkMode, parse_mode
from rootless.errors import InvalidInput

WORDS = st.text("abcdefghij-=.,0123456789/", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("host", NetworkMode(Kind.HOST)),
        ("none", NetworkMode(Kind.NONE)),
        ("private", NetworkMode(Kind.PRIVATE)),
        ("pasta", NetworkMode(Kind.PASTA)),
        ("pasta:", NetworkMode(Kind.PASTA)),
        ("pasta:--mtu,1500,-I,eth7", NetworkMode(Kind.PASTA, ("--mtu", "1500", "-I", "eth7"))),
        (
            "slirp4netns:allow_host_loopback=true,mtu=1500",
            NetworkMode(Kind.SLIRP4NETNS, ("allow_host_loopback=true", "mtu=1500")),
        ),
        ("container:web", NetworkMode(Kind.CONTAINER, target="web")),
        ("ns:/proc/12/ns/net", NetworkMode(Kind.NAMESPACE, target="/proc/12/ns/net")),
    ],
)
def test_podman_s_spellings(text: str, mode: NetworkMode) -> None:
    """Each mode is read as podman-run(1) spells it, options after the colon."""
    assert parse_mode(text) == mode


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("bridge", "unknown network: bridge"),
        ("", "unknown network"),
        ("Host", "unknown network: Host"),
        ("container", "says not which: container"),
        ("ns:", "says not which: ns:"),
        ("ns:relative", "absolute path: ns:relative"),
        ("host:x", "the network host has no options: host:x"),
        ("private:mtu=1", "the network private has no options"),
    ],
)
def test_refused(text: str, fault: str) -> None:
    """What is none of them is refused; the fault names the value."""
    with pytest.raises(InvalidInput, match=fault):
        parse_mode(text)


@given(st.sampled_from(["pasta", "slirp4netns"]), st.lists(WORDS, max_size=3))
def test_text_reads_back(kind: str, words: list[str]) -> None:
    """A mode's text is a value of the option that means the same."""
    mode = parse_mode(f"{kind}:{','.join(words)}")
    assert parse_mode(str(mode)) == mode


def test_joined() -> None:
    """Only a container's network and a path's are there already."""
    assert [kind for kind in Kind if NetworkMode(kind).is_joined] == [
        Kind.CONTAINER,
        Kind.NAMESPACE,
    ]
