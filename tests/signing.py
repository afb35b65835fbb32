"""Signatures as cosign makes them, by keys of our own, and a repository in memory that has them."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import images
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rootless.errors import InvalidInput, NotFound
from rootless.oci.descriptor import Descriptor, parse_descriptor
from rootless.oci.digest import Digest
from rootless.oci.document import Node, parse_document

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ANNOTATION = "dev.cosignproject.cosign/signature"

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

MAKERS: dict[str, Callable[[], PrivateKey]] = {
    "ECDSA P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ECDSA P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


@dataclass(frozen=True)
class Signer:
    """Somebody with a key."""

    key: PrivateKey

    @classmethod
    def make(cls, kind: str = "ECDSA P-256") -> "Signer":
        """Make a key."""
        return cls(MAKERS[kind]())

    @property
    def pem(self) -> bytes:
        """The public key."""
        form = PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(Encoding.PEM, form)

    def sign(self, message: bytes) -> bytes:
        """Return a signature, as sigstore makes it by default."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(message)

    def bundle(self, payload: bytes, *, kind: str = "application/vnd.in-toto+json") -> bytes:
        """Return a sigstore bundle with a signed statement."""
        message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        envelope = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": kind,
            "signatures": [{"sig": base64.b64encode(self.sign(message)).decode(), "keyid": ""}],
        }
        material = {"publicKey": {"hint": "x"}, "tlogEntries": []}
        document = {
            "mediaType": BUNDLE,
            "verificationMaterial": material,
            "dsseEnvelope": envelope,
        }
        return json.dumps(document).encode()


def payload(reference: str, digest: str, **changes: Any) -> bytes:
    """Return the document of simple signing."""
    critical = {
        "identity": {"docker-reference": reference},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    document = {"critical": critical | changes, "optional": None}
    return json.dumps(document, separators=(",", ":")).encode()


def statement(digest: str, **changes: Any) -> bytes:
    """Return the statement of in-toto that newer versions of cosign sign."""
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": digest.partition(":")[2]}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }
    return json.dumps(document | changes).encode()


@dataclass(frozen=True)
class Document:
    """A manifest."""

    data: bytes


@dataclass
class Repository:
    """What a registry has beside an image.

    Attributes:
        manifests: By tag and digest.
        blobs: By digest.
        refers: Descriptors of what refers to a manifest, with their artifact types.
        asked: What was asked for.
    """

    manifests: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    refers: list[tuple[str, str, Descriptor]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def manifest(self, wanted: str) -> Document:
        """Return a manifest."""
        self.asked.append(wanted)
        if wanted not in self.manifests:
            raise NotFound("no such image in the registry", wanted)
        return Document(self.manifests[wanted])

    async def read_blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """Return a blob."""
        self.asked.append(descriptor.digest)
        if descriptor.size > limit:
            raise InvalidInput(f"blob is too large: {descriptor.size} bytes", descriptor.digest)
        return self.blobs[descriptor.digest]

    async def referrers(self, digest: Digest, artifact_type: str) -> Sequence[Descriptor]:
        """Return what refers to a manifest."""
        return [each for to, kind, each in self.refers if (to, kind) == (digest, artifact_type)]

    def attach(self, digest: str, *layers: tuple[bytes, bytes | str]) -> None:
        """Put payloads and their signatures under the tag that cosign has for a digest."""
        self.attach_manifest(digest, [self.layer(*each) for each in layers])

    def attach_manifest(self, digest: str, layers: Sequence[dict[str, Any]]) -> None:
        """Put a manifest with these layers there."""
        document = {"schemaVersion": 2, "mediaType": images.MANIFEST_TYPE, "layers": layers}
        self.manifests[digest.replace(":", "-") + ".sig"] = json.dumps(document).encode()

    def layer(self, content: bytes, signature: bytes | str) -> dict[str, Any]:
        """Keep a payload, return its descriptor with the signature."""
        if isinstance(signature, bytes):
            signature = base64.b64encode(signature).decode()
        return self.blob(content, SIMPLE_SIGNING) | {"annotations": {ANNOTATION: signature}}

    def blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Keep a blob, return its descriptor."""
        digest = images.digest(content)
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def refer(self, digest: str, bundle: bytes, artifact_type: str = BUNDLE) -> None:
        """Put a bundle there as a referrer."""
        manifest = json.dumps({"layers": [self.blob(bundle, BUNDLE)]}).encode()
        own = images.digest(manifest)
        self.manifests[own] = manifest
        node = Node({"mediaType": "m", "digest": own, "size": len(manifest)}, "descriptor")
        self.refers.append((digest, artifact_type, parse_descriptor(node)))


def parsed(data: bytes) -> Any:
    """Return a JSON document's value."""
    return parse_document(data, "document").value
