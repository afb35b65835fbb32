"""The words of RUN --mount."""

import pytest

from rootless.build.containerfile import Instruction, parse
from rootless.build.run_mounts import RunMount, run_mounts
from rootless.errors import BuildError


def run_with(*mounts: str) -> Instruction:
    """Return a RUN with mounts."""
    flags = " ".join(f"--mount={each}" for each in mounts)
    return parse(f"FROM a\nRUN {flags} true\n".encode(), "Containerfile")[1]


def one(text: str, working_dir: str = "/") -> RunMount:
    """Return what one mount is."""
    (found,) = run_mounts(run_with(text), working_dir)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target=/a", RunMount("bind", "/a", id="/a")),
        ("type=bind,src=x,dst=b/,rw", RunMount("bind", "/w/b", "x", is_writable=True, id="/w/b")),
        ("from=base,source=/etc,target=/e", RunMount("bind", "/e", "/etc", "base", id="/e")),
        ("type=cache,target=/c", RunMount("cache", "/c", is_writable=True, id="/c")),
        (
            "type=cache,target=/c,id=x,sharing=locked,mode=0700,uid=5,gid=6,ro",
            RunMount("cache", "/c", id="x", sharing="locked", mode=0o700, uid=5, gid=6),
        ),
        ("type=tmpfs,target=/t,size=64MB", RunMount("tmpfs", "/t", size="64M", id="/t")),
        ("type=secret,id=a", RunMount("secret", "/run/secrets/a", id="a")),
        ("type=secret,target=/x/y", RunMount("secret", "/x/y", id="y")),
        (
            "type=secret,id=a,env=A,required",
            RunMount("secret", "", id="a", env="A", is_required=True),
        ),
        ("type=ssh", RunMount("ssh", "/run/buildkit/ssh_agent.0", id="default")),
        ("type=ssh,required=false,TARGET=/s", RunMount("ssh", "/s", id="default")),
    ],
)
def test_what_is_asked_for(text: str, expected: RunMount) -> None:
    """Each type has its own defaults; a relative target is below the working directory."""
    assert one(text, "/w") == expected


def test_several() -> None:
    """They come in their order; an agent's socket is numbered by that."""
    asked = run_with("type=tmpfs,target=/d", "type=ssh")
    found = run_mounts(asked, "/")
    assert [each.target for each in found] == ["/d", "/run/buildkit/ssh_agent.1"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("type=nfs,target=/a", "unknown type of mount: nfs (one of bind"),
        ("type=tmpfs,target=/a,source=b", "a mount of type tmpfs has no 'source'"),
        ("type=bind", "a mount needs a target"),
        ("type=cache,target=/", "the root cannot be mounted on"),
        ("type=cache,target=/..", "the root cannot be mounted on"),
        ("type=secret", "a secret needs an id"),
        ("type=cache,target=/a,sharing=some", "unknown sharing of a cache: some"),
        ("type=cache,target=/a,mode=rwx", "a mode must be octal"),
        ("type=cache,target=/a,uid=me", "an owner must be a number"),
        ("type=cache,target=/a,uid=99999999999", "an owner must be a number"),
        ("type=tmpfs,target=/a,size=big", "not a size: big"),
        ("target=/a,rw=maybe", "'maybe' is neither true nor false"),
    ],
)
def test_what_is_wrong(text: str, fault: str) -> None:
    """One line says what, with file and line."""
    with pytest.raises(BuildError) as caught:
        one(text)
    assert str(caught.value).startswith(f"Containerfile:2: {fault}")
