"""pasta's command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.containers.network import pasta
from rootless.containers.network.ports import parse_publish
from rootless.errors import InvalidInput

HOST = "192.0.2.7"


def words_of(*options: str, publish: tuple[str, ...] = ()) -> list[str]:
    """Return the argument list for these options."""
    ports = tuple(map(parse_publish, publish))
    return pasta.command(pasta.network(options, ports, HOST))


def values(words: list[str], *names: str) -> list[str]:
    """Return the values of an option."""
    return [words[i + 1] for i, word in enumerate(words[:-1]) if word in names]


def test_by_default_nothing_leads_in_or_to_the_loopback() -> None:
    """Pasta would forward all ports that are bound, both ways, and map its gateway to the host."""
    words = words_of()
    assert [values(words, f"-{name}") for name in "tuTU"] == [["none"]] * 4
    assert "--no-map-gw" in words
    assert values(words, "--address") == [pasta.ADDRESS]


def test_addresses_are_known() -> None:
    """The container's address, its resolver and the way to the host are what the files name."""
    network = pasta.network((), (), HOST)
    assert (network.address, network.resolver) == ("10.0.2.100", "10.0.2.3")
    assert network.host_address == HOST
    assert pasta.network(("--map-gw",), (), HOST).host_address == "10.0.2.2"


def test_own_addressing() -> None:
    """With the user's own addresses none of ours is given, and only his are known."""
    options = ("-a", "192.168.9.5", "-g192.168.9.1", "--dns-forward=192.168.9.3")
    network = pasta.network(options, (), HOST)
    assert (network.address, network.resolver) == ("192.168.9.5", "192.168.9.3")
    assert network.host_address == ""
    assert pasta.network((*options, "--map-gw"), (), HOST).host_address == "192.168.9.1"
    words = pasta.command(network)
    assert "--address" not in words
    assert "--dns-forward" not in words
    assert words[-len(options) :] == list(options)


def test_map_gw_is_podman_s_word() -> None:
    """--map-gw takes --no-map-gw away and is no option of pasta's."""
    assert not {"--map-gw", "--no-map-gw"} & set(words_of("--map-gw"))


def test_published() -> None:
    """One -t or -u a mapping; the protocol without any has none."""
    words = words_of(publish=("8080:80", "127.0.0.1:8443:443", "[::1]:90-92:80-82"))
    assert values(words, "-t") == ["8080:80", "127.0.0.1/8443:443", "::1/90-92:80-82"]
    assert values(words, "-u") == ["none"]
    assert values(words_of(publish=("5353:53/udp",)), "-u") == ["5353:53"]


def test_ports_by_option() -> None:
    """Ports that the user gives in pasta's words are not taken back by `none`."""
    words = words_of("-t", "8080", "--tcp-ns=auto")
    assert values(words, "-t") == ["8080"]
    assert values(words, "-T") == []
    assert values(words, "-u") == ["none"]


@pytest.mark.parametrize("word", ["--netns", "-P", "--pid=/x", "-f", "--help", "-P/x"])
def test_what_is_rootless_s_own(word: str) -> None:
    """How it is started and told apart is not the user's."""
    with pytest.raises(InvalidInput, match=f"not yours to give: {word}"):
        words_of(word, "x")


@given(st.lists(st.text("abcn-=./0123456789", min_size=1, max_size=8), max_size=4))
def test_options_go_last_and_whole(options: list[str]) -> None:
    """Whatever the words, they are passed on as they are, after ours."""
    try:
        words = words_of(*options)
    except InvalidInput:
        return
    assert words[len(words) - len(options) :] == options
