"""What a signature says once it is known to be one: which digests, under which name.

Two forms. The payload of simple signing, a JSON document that cosign and containers/image sign as
it stands. And the envelope of DSSE in a sigstore bundle, whose statement (in-toto) has no name.
"""

import base64
import binascii
from dataclasses import dataclass

from rootless.errors import InvalidInput
from rootless.oci.digest import Digest, parse_digest
from rootless.oci.document import Node
from rootless.oci.reference import Reference
from rootless.signature.identity import full_name
from rootless.signature.strict import only, parse_strictly

PAYLOAD_MAX = 256 << 10
_SIMPLE_SIGNING = "cosign container image signature"
_STATEMENT_TYPE = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_SIGN = "https://sigstore.dev/cosign/sign/v1"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it came, of which nothing is known yet.

    Attributes:
        message: The bytes that were signed.
        values: The signature, or several of which one is enough.
        payload: What is signed, to be read once a key has signed the message.
        is_statement: Whether the payload is a statement of in-toto.
    """

    message: bytes
    values: tuple[bytes, ...]
    payload: bytes
    is_statement: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed.

    Attributes:
        digests: Of manifests or indexes.
        name: The image's name as the signer has it; None where the form has none.
    """

    digests: tuple[Digest, ...]
    name: Reference | None


def simple_signature(payload: bytes, value: str) -> Signature:
    """Return a signature of simple signing; *value* is the annotation."""
    return Signature(payload, (_base64(value, "signature"),), payload, is_statement=False)


def bundle_signature(data: bytes) -> Signature:
    """Return the signature in a sigstore bundle; raises InvalidInput where it has none of DSSE."""
    node = parse_strictly(data, "sigstore bundle", PAYLOAD_MAX)
    envelope = node.require("dsseEnvelope")
    kind = envelope.require_text("payloadType")
    if kind != _STATEMENT_TYPE:
        raise envelope.require("payloadType").fault(f"is {kind!r}, not {_STATEMENT_TYPE}")
    payload = _base64(envelope.require_text("payload"), "payload of a sigstore bundle")
    values = tuple(
        _base64(each.require_text("sig"), "signature") for each in envelope.members("signatures")
    )
    # DSSE's "pre-authentication encoding"
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    return Signature(message, values, payload, is_statement=True)


def read_signed(signature: Signature) -> Signed:
    """Return what a signature says; raises InvalidInput."""
    if signature.is_statement:
        return _statement(parse_strictly(signature.payload, "signed statement", PAYLOAD_MAX))
    return _simple_signing(parse_strictly(signature.payload, "signed payload", PAYLOAD_MAX))


def _simple_signing(node: Node) -> Signed:
    only(node, "critical", "optional")
    critical = node.require("critical")
    only(critical, "type", "image", "identity")
    kind = critical.require_text("type")
    if kind != _SIMPLE_SIGNING:
        raise critical.require("type").fault(f"is {kind!r}")
    image, identity = critical.require("image"), critical.require("identity")
    only(image, "docker-manifest-digest")
    only(identity, "docker-reference")
    digest = image.require("docker-manifest-digest").as_digest()
    return Signed((digest,), full_name(identity.require_text("docker-reference")))


def _statement(node: Node) -> Signed:
    if node.require_text("_type") != _STATEMENT:
        raise node.require("_type").fault("is no statement of in-toto")
    kind = node.require_text("predicateType")
    if kind != _SIGN:  # an attestation: that the key vouches for something about the image
        raise node.require("predicateType").fault(f"is {kind!r}, not that of a signature")
    digests = []
    for subject in node.members("subject"):
        text = subject.member("digest").text("sha256")
        if text:
            digests.append(parse_digest(f"sha256:{text}", "signed statement subject"))
    return Signed(tuple(digests), None)


def _base64(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(f"{what} is not base64", text[:60]) from None
