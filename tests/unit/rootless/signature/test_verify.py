"""`rootless.signature.verify`: which images are taken, and why others are not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import images
import pytest
import trio
from signing import Repository, Signer, payload, statement

from rootless.errors import IntegrityError, NotFound
from rootless.oci.digest import Digest
from rootless.oci.reference import parse_reference
from rootless.signature.identity import MatchRepoDigestOrExact
from rootless.signature.keys import KeyFile, parse_key
from rootless.signature.policy import (
    ACCEPT_ALL,
    Accept,
    Reject,
    Requirement,
    SigstoreSigned,
    parse_policy,
)
from rootless.signature.scopes import path_place
from rootless.signature.verify import SignedImage, by_keys, check_image, check_place

DIGEST, INDEX = Digest(images.digest(b"manifest")), Digest(images.digest(b"index"))
NAME = "r.example/x:1"
IMAGE = SignedImage(parse_reference(NAME), (INDEX, DIGEST))
SIGNER = Signer.make()
KEY = parse_key(SIGNER.pem, "cosign.pub")
BY_KEY = by_keys([KEY])
BY_POLICY = SigstoreSigned((KEY,), MatchRepoDigestOrExact())


def checked(repository: Repository, *requirements: Requirement, image: SignedImage = IMAGE) -> None:
    """Check an image."""
    trio.run(check_image, requirements, image, repository, "policy.json")


def refused(repository: Repository, *requirements: Requirement, image: SignedImage = IMAGE) -> str:
    """Return why an image is not taken: one line, which names it."""
    with pytest.raises(IntegrityError) as caught:
        checked(repository, *requirements, image=image)
    line = str(caught.value)
    assert str(image.reference) in line
    assert "\n" not in line
    return line


def signed(content: bytes, signer: Signer = SIGNER, *, digest: str = DIGEST) -> Repository:
    """Return a repository with one signature."""
    repository = Repository()
    repository.attach(digest, (content, signer.sign(content)))
    return repository


@pytest.mark.parametrize("digest", [DIGEST, INDEX])
@pytest.mark.parametrize("required", [BY_KEY, BY_POLICY])
def test_a_signed_image(digest: str, required: Requirement) -> None:
    """Its manifest or the index that leads there, by the key and under its name."""
    checked(signed(payload(NAME, digest), digest=digest), required, Accept())


def test_one_good_signature_is_enough() -> None:
    """Whatever else is there, and whichever of several keys it is by."""
    repository, other = Repository(), Signer.make("Ed25519")
    good = payload(NAME, DIGEST)
    repository.attach(DIGEST, (b"garbage", b"x"), (good, b"x"), (good, other.sign(good)))
    checked(repository, by_keys([KEY, parse_key(other.pem, "other.pub")]))


def test_no_more_is_asked_for_than_needed() -> None:
    """The index's own signature comes first; nothing is asked where nothing is required."""
    repository = signed(payload(NAME, INDEX), digest=INDEX)
    checked(repository, BY_KEY)
    assert len(repository.asked) == 2
    checked(repository, Accept())
    assert len(repository.asked) == 2


def test_a_bundle() -> None:
    """It has no name: enough for a key that is named, and not for a policy that wants one."""
    repository = Repository()
    repository.refer(DIGEST, SIGNER.bundle(statement(DIGEST)))
    checked(repository, BY_KEY)
    assert "one has no name" in refused(repository, BY_POLICY)


def test_a_missing_signature() -> None:
    """The error says that there is none."""
    assert refused(Repository(), BY_KEY) == (
        f"image is not signed: {NAME} (the registry has no signature of it)"
    )


def test_another_key() -> None:
    """The error names the key that it should have been."""
    repository = signed(payload(NAME, DIGEST), Signer.make())
    assert "one is not by the key: cosign.pub" in refused(repository, BY_KEY)


def test_another_digest() -> None:
    """A signature of another image of the same name, put beside this one."""
    repository = signed(payload(NAME, images.digest(b"older")))
    assert f"one is of another image: {images.digest(b'older')}" in refused(repository, BY_KEY)


@pytest.mark.parametrize("name", ["r.example/y:1", "evil.example/x:1", "x:1"])
def test_another_name(name: str) -> None:
    """An image that was signed to be another one."""
    line = refused(signed(payload(name, DIGEST)), BY_KEY)
    assert "one is for another name: " in line


def test_another_tag() -> None:
    """It does for a key that is named, and not for a policy's usual identity."""
    repository = signed(payload("r.example/x:2", DIGEST))
    checked(repository, BY_KEY)
    assert "one is for another name: r.example/x:2" in refused(repository, BY_POLICY)
    by_digest = SignedImage(parse_reference(f"r.example/x@{DIGEST}"), (DIGEST,))
    checked(repository, BY_POLICY, image=by_digest)


def test_a_payload_that_was_changed() -> None:
    """The signature is not one of it; nothing in it is believed before that is known."""
    good = payload(NAME, images.digest(b"older"))
    repository = Repository()
    repository.attach(DIGEST, (payload(NAME, DIGEST), SIGNER.sign(good)))
    assert "one is not by the key" in refused(repository, BY_KEY)
    bundle = SIGNER.bundle(statement(images.digest(b"older")))
    document = json.loads(bundle)
    other = json.loads(SIGNER.bundle(statement(DIGEST)))
    document["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"]
    repository = Repository()
    repository.refer(DIGEST, json.dumps(document).encode())
    assert "one is not by the key" in refused(repository, BY_KEY)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"garbage", "signed payload is not JSON"),
        (payload(NAME, DIGEST, type="other"), "critical.type is 'other'"),
        (b"x" * (1 << 20), "too large"),
    ],
)
def test_garbage_by_the_right_key(content: bytes, reason: str) -> None:
    """A key signs other things as well; those are no signatures of images."""
    assert reason in refused(signed(content), BY_KEY)


def test_an_attestation_is_no_signature() -> None:
    """It says something about the image, not that it is to be run."""
    repository = Repository()
    kind = "https://slsa.dev/provenance/v1"
    repository.refer(DIGEST, SIGNER.bundle(statement(DIGEST, predicateType=kind)))
    assert "not that of a signature" in refused(repository, BY_KEY)


def test_many_reasons() -> None:
    """Three are told, each once; the others are counted."""
    repository = Repository()
    contents = [payload(NAME, images.digest(b"%d" % n)) for n in range(10)]
    repository.attach(DIGEST, *((each, SIGNER.sign(each)) for each in [*contents, *contents]))
    line = refused(repository, BY_KEY)
    assert line.count("one is of another image") == 3
    assert "; and 7 more" in line


def test_all_requirements_must_hold() -> None:
    """One that is met does not make up for another."""
    repository = signed(payload(NAME, DIGEST))
    other = by_keys([parse_key(Signer.make().pem, "other.pub")])
    assert "one is not by the key: other.pub" in refused(repository, BY_KEY, other)
    assert "signature policy refuses the image" in refused(repository, BY_KEY, Reject())


def test_a_policy_that_rejects() -> None:
    """The error names the policy, and the reason where there is one."""
    assert refused(Repository(), Reject()) == (
        f"signature policy refuses the image: {NAME} (policy.json: it rejects such images)"
    )
    assert "(policy.json: it wants more)" in refused(Repository(), Reject("it wants more"))


def test_a_key_that_is_missing(tmp_path: Path) -> None:
    """It is an error, not a key fewer."""
    required = SigstoreSigned((KEY, KeyFile(str(tmp_path / "gone.pub"))), BY_KEY.identity)
    with pytest.raises(NotFound, match=r"no such key file: .*/gone\.pub"):
        checked(signed(payload(NAME, DIGEST)), required)


SIGNED: Sequence[dict[str, Any]] = [{"type": "sigstoreSigned", "keyPath": "/x"}]


def test_folders_and_archives() -> None:
    """They have no signatures: what wants one is refused, the rest goes by the policy."""
    document = {
        "default": [{"type": "reject"}],
        "transports": {"oci": {"": SIGNED}, "dir": {"": [{"type": "insecureAcceptAnything"}]}},
    }
    policy = parse_policy(json.dumps(document).encode(), "policy.json")
    check_place(policy, path_place("dir", "/x"))
    check_place(ACCEPT_ALL, path_place("oci", "/x"))
    with pytest.raises(IntegrityError, match=r"image is not signed: /x .*only a registry keeps"):
        check_place(policy, path_place("oci", "/x"))
    with pytest.raises(IntegrityError, match="signature policy refuses the image: /x"):
        check_place(policy, path_place("docker-archive", "/x"))
