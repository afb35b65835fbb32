"""`rootless.signature.attachments`: the signatures that a registry has, and what is none."""

from contextlib import aclosing
from typing import Any

import images
import pytest
import trio
from signing import BUNDLE, Repository, Signer, payload, statement

from rootless.errors import RootlessError
from rootless.oci.digest import Digest
from rootless.signature import attachments
from rootless.signature.attachments import COSIGN_TYPE, signatures
from rootless.signature.signed import PAYLOAD_MAX, Signature

DIGEST = Digest(images.digest(b"manifest"))
PAYLOAD = payload("r.example/x:1", DIGEST)


def found(repository: Repository) -> tuple[list[Signature], list[str]]:
    """Return the signatures, and why others are none."""
    faults: list[str] = []

    async def all_of_them() -> list[Signature]:
        async with aclosing(signatures(repository, DIGEST, faults)) as each:
            return [signature async for signature in each]

    return trio.run(all_of_them), faults


def test_an_image_without_signatures() -> None:
    """Nothing is found, and nothing is wrong."""
    repository = Repository()
    assert found(repository) == ([], [])
    assert repository.asked == [f"sha256-{DIGEST[7:]}.sig"]


def test_signatures_under_a_tag() -> None:
    """In the order of the manifest."""
    repository = Repository()
    repository.attach(DIGEST, (PAYLOAD, b"one"), (PAYLOAD, b"two"))
    signed, faults = found(repository)
    assert [each.values for each in signed] == [(b"one",), (b"two",)]
    assert signed[0].message == PAYLOAD
    assert faults == []


def test_bundles_that_refer_to_the_image() -> None:
    """And manifests of signatures that do."""
    repository, signer = Repository(), Signer.make()
    repository.refer(DIGEST, signer.bundle(statement(DIGEST)))
    repository.refer(DIGEST, signer.bundle(statement(DIGEST)), COSIGN_TYPE)
    repository.refer(DIGEST, b"an SBOM", "application/spdx+json")
    signed, faults = found(repository)
    assert [each.is_statement for each in signed] == [True, True]
    assert faults == []


def without(repository: Repository, layer: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a descriptor without a field."""
    return {key: value for key, value in layer.items() if key != name}


def test_what_is_no_signature_is_passed_over() -> None:
    """With its reason; one that is follows all the same."""
    repository = Repository()
    good = repository.layer(PAYLOAD, b"good")
    layers = [
        without(repository, good, "annotations"),
        repository.layer(PAYLOAD, "no base64"),
        repository.blob(b"x", "text/plain"),
        repository.blob(b"garbage", BUNDLE),
        repository.layer(b"x" * (PAYLOAD_MAX + 1), b"huge"),
        good,
    ]
    repository.attach_manifest(DIGEST, layers)
    signed, faults = found(repository)
    assert [each.values for each in signed] == [(b"good",)]
    expected = ["without a value", "not base64", "unknown media type", "not JSON", "too large"]
    assert len(faults) == len(expected)
    assert all(word in fault for word, fault in zip(expected, faults, strict=True))


@pytest.mark.parametrize(
    "manifest", [b"", b"garbage", b"[]", b'{"layers":{}}', b'{"layers":[{}]}', b"[" * 100_000]
)
def test_manifests_that_are_none(manifest: bytes) -> None:
    """They have no signatures."""
    repository = Repository()
    repository.manifests[f"sha256-{DIGEST[7:]}.sig"] = manifest
    signed, faults = found(repository)
    assert signed == []
    assert len(faults) == 1


def test_a_million_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more are looked at than somebody could have meant."""
    monkeypatch.setattr(attachments, "SIGNATURES_MAX", 3)
    repository = Repository()
    repository.attach(DIGEST, *((PAYLOAD, b"%d" % n) for n in range(10)))
    signed, faults = found(repository)
    assert len(signed) == 3
    assert "there are more than" in faults[0]
    repository = Repository()
    for n in range(10):
        repository.refer(DIGEST, b"garbage %d" % n)
    signed, faults = found(repository)
    assert (signed, len(faults)) == ([], 4)


def test_a_network_that_fails() -> None:
    """It is not taken for an image without signatures."""

    class Broken(Repository):
        async def manifest(self, wanted: str) -> Any:
            raise RootlessError("connection lost")

    with pytest.raises(RootlessError, match="connection lost"):
        found(Broken())
