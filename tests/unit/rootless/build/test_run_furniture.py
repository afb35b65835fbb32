"""What the mounts of a RUN come to."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rootless.build.furniture import AgentSocket, CacheFolder, InnerFile, WritableFolder
from rootless.build.run_furniture import Asked, Offered, look_up
from rootless.build.run_mounts import RunMount
from rootless.build.secrets import Secret
from rootless.errors import InvalidInput, NotFound
from rootless.image.store import Store
from rootless.oci.runtime_spec import Mount


@pytest.fixture
def owned() -> Iterator[ExitStack]:
    """What is given back after the run."""
    with ExitStack() as stack:
        yield stack


def asked(
    tmp_path: Path, owned: ExitStack, *mounts: RunMount, offered: Offered | None = None
) -> Asked:
    """Return what they come to."""
    store = Store(tmp_path / "store", tmp_path / "scratch")
    return look_up(store, mounts, offered or Offered(), "auto", owned)


def test_the_context(tmp_path: Path, owned: ExitStack) -> None:
    """Read-only a bind mount, else a view that can be written to; links stay inside."""
    (tmp_path / "context" / "sub").mkdir(parents=True)
    (tmp_path / "context" / "way").symlink_to("/sub")
    offered = Offered(context=str(tmp_path / "context"))
    reads = RunMount("bind", "/deep/er", "way")
    writes = RunMount("bind", "/w", is_writable=True)
    found = asked(tmp_path, owned, reads, writes, offered=offered)
    sub = str(tmp_path / "context" / "sub")
    assert found.mounts == [Mount("/deep/er", "bind", sub, ("rbind", "rprivate", "ro"))]
    assert found.furniture == [WritableFolder("/w", str(tmp_path / "context"))]
    with pytest.raises(NotFound):
        asked(tmp_path, owned, RunMount("bind", "/a", "../store"), offered=offered)
    with pytest.raises(InvalidInput, match="the context is no folder"):
        asked(tmp_path, owned, reads)


def test_caches_and_memory(tmp_path: Path, owned: ExitStack) -> None:
    """A cache is locked as long as the run; a tmpfs is everybody's."""
    cache = RunMount("cache", "/c", id="c", is_writable=True)
    found = asked(tmp_path, owned, cache, RunMount("tmpfs", "/t", size="1m"))
    (folder,) = found.furniture
    assert isinstance(folder, CacheFolder)
    assert (folder.mode, folder.folder.is_dir()) == (0o755, True)
    (mount,) = found.mounts
    assert mount.options == ("nosuid", "nodev", "mode=1777", "size=1m")


def test_secrets(tmp_path: Path, owned: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a variable, both; one that was not given is left out, unless it is required."""
    monkeypatch.setenv("TOKEN", "t\udcff")
    offered = Offered({"a": Secret("a", variable="TOKEN")})
    mounts = (
        RunMount("secret", "/run/secrets/a", id="a", uid=5),
        RunMount("secret", "", id="a", env="A"),
        RunMount("secret", "/b", id="b"),
    )
    found = asked(tmp_path, owned, *mounts, offered=offered)
    assert found.furniture == [InnerFile("/run/secrets/a", b"t\xff", 0o400, 5)]
    assert found.env == [f"A={os.fsdecode(bytes([116, 255]))}"]
    with pytest.raises(NotFound, match="required and was not given: b"):
        asked(tmp_path, owned, RunMount("secret", "/b", id="b", is_required=True))
    (tmp_path / "nul").write_bytes(b"\0")
    offered = Offered({"a": Secret("a", str(tmp_path / "nul"))})
    with pytest.raises(InvalidInput, match="NUL"):
        asked(tmp_path, owned, RunMount("secret", "", id="a", env="A"), offered=offered)


def test_sockets(tmp_path: Path, owned: ExitStack) -> None:
    """The first one is the agent's, as ssh finds it."""
    offered = Offered(sockets={"default": "/agent"})
    mounts = (RunMount("ssh", "/a", id="default"), RunMount("ssh", "/b", id="default", mode=0o666))
    found = asked(tmp_path, owned, *mounts, offered=offered)
    assert found.furniture == [
        AgentSocket("/a", "/agent", 0o600, 0, 0),
        AgentSocket("/b", "/agent", 0o666, 0, 0),
    ]
    assert found.env == ["SSH_AUTH_SOCK=/a"]
    assert asked(tmp_path, owned, RunMount("ssh", "/a", id="k")).furniture == []
    with pytest.raises(NotFound, match="--ssh k"):
        asked(tmp_path, owned, RunMount("ssh", "/a", id="k", is_required=True))


def test_no_such_stage(tmp_path: Path, owned: ExitStack) -> None:
    """A mount from nowhere is an error."""
    with pytest.raises(NotFound, match="no such stage or image: x"):
        asked(tmp_path, owned, RunMount("bind", "/a", origin="x"))
