"""`rootless.signature.identity`: names that are the image's, in each way of comparing."""

import pytest

from rootless.signature.identity import (
    ExactReference,
    ExactRepository,
    Identity,
    MatchExact,
    MatchRepoDigestOrExact,
    MatchRepository,
    RemapIdentity,
    full_name,
)

DIGEST = "@sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("debian", "docker.io/library/debian"),
        ("debian:12", "docker.io/library/debian:12"),
        ("a/b" + DIGEST, "docker.io/a/b" + DIGEST),
        ("localhost/x", "localhost/x"),
        ("r.example:5000/x:y", "r.example:5000/x:y"),
    ],
)
def test_full_names(text: str, full: str) -> None:
    """Short names are Docker Hub's; a tag is not made up."""
    assert str(full_name(text)) == full


EXACT, DEFAULT, REPOSITORY = MatchExact(), MatchRepoDigestOrExact(), MatchRepository()
REMAP = RemapIdentity("mirror.example/hub", "docker.io")
REMAP_HOST = RemapIdentity("mirror.example", "r.example")


@pytest.mark.parametrize(
    ("identity", "image", "signed", "is_accepted"),
    [
        (EXACT, "r.example/x:1", "r.example/x:1", True),
        (EXACT, "r.example/x:1", "r.example/x:2", False),
        (EXACT, "r.example/x:1", "r.example/x", False),
        (EXACT, "r.example/x" + DIGEST, "r.example/x" + DIGEST, True),
        (EXACT, "r.example/x" + DIGEST, "r.example/x:1", False),
        (DEFAULT, "r.example/x:1", "r.example/x:1", True),
        (DEFAULT, "r.example/x:1", "r.example/x:2", False),
        (DEFAULT, "r.example/x:1", "r.example/x", False),
        (DEFAULT, "r.example/x:1", "r.example/y:1", False),
        (DEFAULT, "r.example/x" + DIGEST, "r.example/x:1", True),
        (DEFAULT, "r.example/x" + DIGEST, "r.example/y:1", False),
        (DEFAULT, "r.example/x" + DIGEST, "r.example/x", False),
        (REPOSITORY, "r.example/x:1", "r.example/x", True),
        (REPOSITORY, "r.example/x:1", "r.example/x:2", True),
        (REPOSITORY, "r.example/x:1", "r.example/xy:1", False),
        (REPOSITORY, "docker.io/library/debian:1", "debian", True),
        (ExactReference(full_name("a.example/b:1")), "r.example/x:1", "a.example/b:1", True),
        (ExactReference(full_name("a.example/b:1")), "r.example/x:1", "a.example/b:2", False),
        (ExactReference(full_name("a.example/b:1")), "r.example/x:1", "a.example/b", False),
        (ExactRepository("a.example/b"), "r.example/x:1", "a.example/b:7", True),
        (ExactRepository("a.example/b"), "r.example/x:1", "r.example/x:1", False),
        (REMAP, "mirror.example/hub/library/x:1", "docker.io/library/x:1", True),
        (REMAP, "mirror.example/hub/library/x:1", "docker.io/library/x:2", False),
        (REMAP, "mirror.example/hubble/x:1", "docker.io/ble/x:1", False),
        (REMAP, "mirror.example/hubble/x:1", "mirror.example/hubble/x:1", True),
        (REMAP, "other.example/x:1", "other.example/x:1", True),
        (REMAP, "mirror.example/hub/library/x" + DIGEST, "docker.io/library/x:5", True),
        (REMAP_HOST, "mirror.example/x:1", "r.example/x:1", True),
        (RemapIdentity("r.example", "NO NAME"), "r.example/x:1", "r.example/x:1", False),
    ],
)
def test_comparisons(identity: Identity, image: str, signed: str, is_accepted: bool) -> None:  # noqa: FBT001 - a table
    """As containers-policy.json(5) describes each."""
    assert identity.accepts(full_name(image), full_name(signed)) is is_accepted
