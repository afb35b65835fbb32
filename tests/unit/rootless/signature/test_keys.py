"""`rootless.signature.keys`: keys of all kinds, and what is no key."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from signing import MAKERS, Signer

from rootless.errors import InvalidInput, NotFound
from rootless.signature.keys import KeyFile, parse_key, read_key

MESSAGE = b"what is signed"


@pytest.mark.parametrize("kind", MAKERS)
def test_a_signature(kind: str) -> None:
    """It is one of its message by its key, and of nothing else."""
    signer, other = Signer.make(kind), Signer.make(kind)
    key = parse_key(signer.pem, "cosign.pub")
    signature = signer.sign(MESSAGE)
    assert key.has_signed(MESSAGE, signature)
    assert not key.has_signed(MESSAGE + b".", signature)
    assert not key.has_signed(MESSAGE, other.sign(MESSAGE))
    assert not parse_key(other.pem, "other").has_signed(MESSAGE, signature)
    for garbage in (b"", b"garbage", signature[:-1], signature + b"\0", bytes(len(signature))):
        assert not key.has_signed(MESSAGE, garbage)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_signature_by_openssl(kind: str, tmp_path: Path) -> None:
    """Another program makes the same: cosign's documentation verifies with it."""
    signer = Signer.make(kind)
    (tmp_path / "key").write_bytes(
        signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "message").write_bytes(MESSAGE)
    words = ["pkeyutl", "-sign", "-rawin", "-in", "message", "-inkey", "key"]
    if kind != "Ed25519":
        words = ["dgst", "-sha256", "-sign", "key", "message"]
    done = subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)
    assert parse_key(signer.pem, "cosign.pub").has_signed(MESSAGE, done.stdout)


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [(ec.SECP384R1(), hashes.SHA384()), (ec.SECP521R1(), hashes.SHA512())],
)
def test_digests_that_fit_the_curve(
    curve: ec.EllipticCurve, algorithm: hashes.HashAlgorithm
) -> None:
    """Newer signers take a longer digest for a longer key."""
    key = ec.generate_private_key(curve)
    signer = Signer(key)
    public = parse_key(signer.pem, "cosign.pub")
    assert public.has_signed(MESSAGE, key.sign(MESSAGE, ec.ECDSA(algorithm)))
    assert public.has_signed(MESSAGE, signer.sign(MESSAGE))
    assert not public.has_signed(MESSAGE, key.sign(b"other", ec.ECDSA(algorithm)))


def test_key_files(tmp_path: Path) -> None:
    """A key is named as its file."""
    path = tmp_path / "cosign.pub"
    path.write_bytes(Signer.make().pem)
    assert read_key(str(path)).name == str(path)
    assert KeyFile(str(path)).load().load() == read_key(str(path))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """The error says which and why."""
    with pytest.raises(NotFound, match=r"no such key file: .*/cosign.pub"):
        read_key(str(tmp_path / "cosign.pub"))
    with pytest.raises(InvalidInput, match=r"cannot be read: .*: Is a directory"):
        read_key(str(tmp_path))


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


NO_KEYS = {
    "nothing": (b"", "not one public key in PEM"),
    "garbage": (b"\0\1\2", "not one public key in PEM"),
    "two": (Signer.make().pem * 2, "not one public key in PEM"),
    "damaged": (Signer.make().pem.replace(b"M", b"N"), "not a public key in PEM"),
    "a private one": (
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        r"this is a private key: cosign.pub \(give the public one\)",
    ),
    "a short one": (_pem(rsa.generate_private_key(65537, 1024)), "RSA key is too short"),
    "another curve": (_pem(ec.generate_private_key(ec.SECP256K1())), "is not supported"),
    "a certificate": (
        b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
        "not a public key in PEM",
    ),
    "a huge one": (b"-----BEGIN PUBLIC KEY-----\n" + b"A" * (1 << 20), "not one public key"),
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_is_no_key(name: str) -> None:
    """It is refused in one line, with its name."""
    pem, reason = NO_KEYS[name]
    with pytest.raises(InvalidInput, match=reason) as caught:
        parse_key(pem, "cosign.pub")
    assert "cosign.pub" in str(caught.value)
    assert "\n" not in str(caught.value)
