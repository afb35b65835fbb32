"""`rootless.signature.signed`: payloads and bundles, and what they say."""

import json
from typing import Any

import images
import pytest
from signing import Signer, parsed, payload, statement

from rootless.errors import InvalidInput
from rootless.signature.keys import parse_key
from rootless.signature.signed import (
    Signature,
    bundle_signature,
    read_signed,
    simple_signature,
)

DIGEST = images.digest(b"manifest")


def test_simple_signing() -> None:
    """A digest and a name; what stands beside them is the signer's business."""
    for optional in (None, {}, {"creator": "x", "timestamp": 1}):
        document = parsed(payload("r.example/x:1", DIGEST)) | {"optional": optional}
        signature = simple_signature(json.dumps(document).encode(), "c2ln")
        assert (signature.values, signature.is_statement) == ((b"sig",), False)
        signed = read_signed(signature)
        assert signed.digests == (DIGEST,)
        assert str(signed.name) == "r.example/x:1"


def test_a_bundle() -> None:
    """What is signed is the envelope's type and payload; it has a digest and no name."""
    signer = Signer.make()
    signature = bundle_signature(signer.bundle(statement(DIGEST)))
    assert parse_key(signer.pem, "key").has_signed(signature.message, signature.values[0])
    signed = read_signed(signature)
    assert (signed.digests, signed.name) == ((DIGEST,), None)


def simple(data: bytes) -> Signature:
    """Return a signature whose payload is this."""
    return simple_signature(data, "")


VALID = parsed(payload("r.example/x:1", DIGEST))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "critical is missing"),
        (VALID | {"more": 1}, "unknown field 'more'"),
        ({"critical": None, "optional": None}, "critical is missing"),
        (parsed(payload("x", DIGEST, type="atomic container signature")), "critical.type is"),
        (parsed(payload("x", DIGEST, more=1)), "unknown field 'more'"),
        (parsed(payload("x", DIGEST, image={})), "docker-manifest-digest is missing"),
        (parsed(payload("x", "sha512:" + "a" * 128)), "digest algorithm not supported"),
        (parsed(payload("x", "sha256:short")), "not a digest"),
        (parsed(payload("x", DIGEST, identity={})), "docker-reference is missing"),
        (parsed(payload("X", DIGEST)), "image name must be lower case"),
        (parsed(payload("", DIGEST)), "image name is empty"),
        ([], "is not an object"),
    ],
)
def test_payloads_that_are_none(document: Any, reason: str) -> None:
    """Each is refused, with the place in it."""
    with pytest.raises(InvalidInput, match=reason):
        read_signed(simple(json.dumps(document).encode()))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        payload("x", DIGEST).replace(b'"type"', b'"image":{},"type"'),
        payload("x", DIGEST) + b" " * (1 << 20),
    ],
)
def test_payloads_that_are_no_document(data: bytes) -> None:
    """Garbage, a field that is there twice, and one of more than 256 KiB."""
    with pytest.raises(InvalidInput, match="signed payload is"):
        read_signed(simple(data))


def test_a_value_that_is_no_base64() -> None:
    """It is shown, but not all of it."""
    with pytest.raises(InvalidInput, match=r"signature is not base64: \?{60}$"):
        simple_signature(b"", "?" * 1000)


def bundle(**changes: Any) -> bytes:
    """Return a bundle with changes in its envelope."""
    document = parsed(Signer.make().bundle(statement(DIGEST)))
    document["dsseEnvelope"] |= changes
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"garbage", "sigstore bundle is not JSON"),
        (b"{}", "dsseEnvelope is missing"),
        (bundle(payload="?"), "payload of a sigstore bundle is not base64"),
        (bundle(payloadType="text/plain"), "payloadType is 'text/plain'"),
        (bundle(signatures=[{}]), "sig is missing"),
        (bundle(signatures=[{"sig": "?"}]), "signature is not base64"),
        (b" " * (1 << 20), "sigstore bundle is too large"),
    ],
)
def test_bundles_that_are_none(data: bytes, reason: str) -> None:
    """Each is refused, with the place in it."""
    with pytest.raises(InvalidInput, match=reason):
        bundle_signature(data)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"_type": "https://example.org"}, "_type is no statement"),
        ({"predicateType": "https://slsa.dev/provenance/v1"}, "not that of a signature"),
        ({"predicateType": None}, "predicateType is missing"),
        ({"subject": [{"digest": {"sha256": "short"}}]}, "not a digest"),
        ({"subject": {}}, "is not an array"),
    ],
)
def test_statements_of_something_else(changes: dict[str, Any], reason: str) -> None:
    """An attestation by the same key is not a signature of the image."""
    signature = bundle_signature(Signer.make().bundle(statement(DIGEST, **changes)))
    with pytest.raises(InvalidInput, match=reason):
        read_signed(signature)


def test_a_statement_of_nothing() -> None:
    """It has no digest that could be an image's."""
    signature = bundle_signature(Signer.make().bundle(statement(DIGEST, subject=[])))
    assert read_signed(signature).digests == ()
