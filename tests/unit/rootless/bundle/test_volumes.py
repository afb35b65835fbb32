"""`--volume`, `--mount` and `--tmpfs`."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.bundle.volumes import parse_mount, parse_tmpfs, parse_volume
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Mount

DEFAULT = ("rbind", "rprivate")


@pytest.mark.parametrize(
    ("text", "source", "destination", "options"),
    [
        ("/a:/b", "/a", "/b", DEFAULT),
        (".:/b", "/here", "/b", DEFAULT),
        ("..:/b", "/", "/b", DEFAULT),
        ("./x/../y:/b", "/here/y", "/b", DEFAULT),
        ("/a:/b:", "/a", "/b", DEFAULT),
        ("/a:/b:ro,nosuid", "/a", "/b", (*DEFAULT, "ro", "nosuid")),
        ("/a:/b:rslave", "/a", "/b", ("rbind", "rslave")),
        ("/a:/b:bind,private", "/a", "/b", ("bind", "private")),
        ("/a:/b/../c/", "/a", "/c", DEFAULT),
        ("/a:/../../etc", "/a", "/etc", DEFAULT),
        ("/a://b", "/a", "/b", DEFAULT),
    ],
)
def test_volumes(text: str, source: str, destination: str, options: tuple[str, ...]) -> None:
    """SOURCE:DESTINATION[:OPTIONS]; recursive and private unless said; never above the root."""
    assert parse_volume(text, "/here") == Mount(destination, "bind", source, options)


def test_home_in_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde that the shell left is the caller's home."""
    monkeypatch.setenv("HOME", "/home/me")
    assert parse_volume("~:/b", "/here").source == "/home/me"
    assert parse_mount("src=~/x,dst=/b", "/here").source == "/home/me/x"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        *((text, "must have the form") for text in ("", "/a", "/a:", ":/b", "/a:/b:ro:rw")),
        ("data:/b", "named volumes are not supported: data:/b .*./data"),
        ("/a:b", "must be an absolute path"),
        ("/a:/", "must not be the root"),
        ("/a:/b/..", "must not be the root"),
        ("/a://", "must not be the root"),
        ("/a:/b:rx", "unknown volume option 'rx'"),
        ("/a:/b:upperdir=/x", "unknown volume option"),
    ],
)
def test_no_volumes(text: str, fault: str) -> None:
    """What would be guessed at is refused with the form that is right."""
    with pytest.raises(InvalidInput, match=fault):
        parse_volume(text, "/here")


TMPFS = ("nosuid", "nodev", "tmpcopyup")


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("type=bind,source=/a,destination=/b", Mount("/b", "bind", "/a", DEFAULT)),
        ("src=/a,dst=/b,ro", Mount("/b", "bind", "/a", (*DEFAULT, "ro"))),
        ("src=/a,target=/b,readonly=true", Mount("/b", "bind", "/a", (*DEFAULT, "ro"))),
        ("src=/a,dst=/b,readonly=FALSE", Mount("/b", "bind", "/a", (*DEFAULT, "rw"))),
        ("src=/a,dst=/b,rw=false", Mount("/b", "bind", "/a", (*DEFAULT, "ro"))),
        ("src=/a,dst=/b,bind-propagation=rslave", Mount("/b", "bind", "/a", ("rbind", "rslave"))),
        ("src=/a,dst=/b,bind-nonrecursive", Mount("/b", "bind", "/a", ("rprivate", "bind"))),
        ("type=tmpfs,dst=/b", Mount("/b", "tmpfs", "tmpfs", TMPFS)),
        ("type=tmpfs,dst=/b:c", Mount("/b:c", "tmpfs", "tmpfs", TMPFS)),
        ("type=tmpfs,dst=/b,ro", Mount("/b", "tmpfs", "tmpfs", (*TMPFS, "ro"))),
        ("type=tmpfs,dst=/b,ro=false", Mount("/b", "tmpfs", "tmpfs", (*TMPFS, "rw"))),
        (
            "type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=700",
            Mount("/b", "tmpfs", "tmpfs", (*TMPFS, "size=1m", "mode=700")),
        ),
    ],
)
def test_mounts(text: str, mount: Mount) -> None:
    """The keywords of `podman run --mount`."""
    assert parse_mount(text, "/here") == mount


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "needs a destination"),
        ("src=/a", "needs a destination"),
        ("dst=/b", "needs a source"),
        ("type=volume,src=a,dst=/b", "unknown mount type: volume"),
        ("src=/a,dst=/b,x=1", "unknown mount option 'x'"),
        ("src=/a,dst=/b,bind-propagation=x", "unknown volume option 'x'"),
        ("src=/a,dst=/b,readonly=yes", "'yes' is neither true nor false"),
        ("src=/a,dst=/b,rw=no", "'no' is neither"),
        ("type=tmpfs,dst=/b,ro=yes", "'yes' is neither"),
        ("type=tmpfs,dst=/b,src=/a", "unknown mount option 'source'"),
        ("type=tmpfs,dst=b", "absolute path"),
    ],
)
def test_no_mounts(text: str, fault: str) -> None:
    """A typing error is refused: it must not make a volume writable."""
    with pytest.raises(InvalidInput, match=fault):
        parse_mount(text, "/here")


def test_tmpfs() -> None:
    """It begins with what the image has there, unless said."""
    assert parse_tmpfs("/t") == Mount("/t", "tmpfs", "tmpfs", TMPFS)
    options = parse_tmpfs("/t:size=1m,mode=755,notmpcopyup").options
    assert options == ("nosuid", "nodev", "size=1m", "mode=755")
    for text in ("t", "/", ":size=1m"):
        with pytest.raises(InvalidInput, match="destination"):
            parse_tmpfs(text)


@settings(database=None, max_examples=60)
@given(
    text=st.text("/.:ab~, ro", max_size=12),
    read=st.sampled_from([lambda text: parse_volume(text, "/here"), parse_tmpfs]),
)
def test_destinations_are_normal(text: str, read: Callable[[str], Mount]) -> None:
    """Whatever is said, a destination is absolute, is not the root, and does not climb."""
    try:
        mount = read(text)
    except InvalidInput:
        return
    parts = mount.destination.lstrip("/").split("/")
    assert mount.destination.startswith("/")
    assert not {"", ".", ".."} & set(parts)
