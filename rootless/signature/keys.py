"""Public keys in PEM, and whether one has signed something.

As sigstore has it: ECDSA with SHA-256, for larger curves also with the digest that fits them;
RSA by PKCS #1 v1.5 with SHA-256, from 2048 bits on; Ed25519.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootless.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    _Key = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

KEY_BYTES_MAX = 64 << 10
_RSA_BITS_MIN = 2048
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked against.

    Attributes:
        name: Where it comes from, for messages.
        pem: The key.
    """

    name: str
    pem: bytes

    def load(self) -> "PublicKey":
        """Return the key itself: it is there already."""
        return self

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Return whether *signature* is one of *message* by this key."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only who verifies
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa  # noqa: PLC0415

        key = _load(self.pem, self.name)
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            elif isinstance(key, ec.EllipticCurvePublicKey):
                return _ecdsa(key, message, signature)
            else:
                key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file with a public key, which is read when something is to be verified.

    Attributes:
        path: The file.
    """

    path: str

    def load(self) -> PublicKey:
        """Return the key, as `read_key` does."""
        return read_key(self.path)


def parse_key(pem: bytes, name: str) -> PublicKey:
    """Return the one public key that *pem* has; raises InvalidInput."""
    _load(pem, name)
    return PublicKey(name, pem)


def read_key(path: str) -> PublicKey:
    """Return the public key in a file.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It holds something else, or cannot be read.
    """
    try:
        with open(path, "rb") as file:
            pem = file.read(KEY_BYTES_MAX + 1)
    except FileNotFoundError:
        raise NotFound("no such key file", path) from None
    except OSError as error:
        raise InvalidInput(
            "key file cannot be read", f"{path}: {os.strerror(error.errno or 0)}"
        ) from None
    return parse_key(pem, path)


def _ecdsa(key: "EllipticCurvePublicKey", message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    fitting = {"secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}.get(key.curve.name)
    for algorithm in (hashes.SHA256(), fitting):
        try:
            if algorithm is not None:
                key.verify(signature, message, ec.ECDSA(algorithm))
                return True
        except InvalidSignature:
            continue
    return False


def _load(pem: bytes, name: str) -> "_Key":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    if b"PRIVATE KEY" in pem:
        raise InvalidInput("this is a private key", name, "give the public one")
    if pem.count(b"-----BEGIN ") != 1 or len(pem) > KEY_BYTES_MAX:
        raise InvalidInput("not one public key in PEM", name, "cosign writes it to cosign.pub")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(
            "not a public key in PEM", name, "cosign writes it to cosign.pub"
        ) from None
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _RSA_BITS_MIN:
            raise InvalidInput("RSA key is too short", name, f"at least {_RSA_BITS_MIN} bits")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise InvalidInput("kind of key is not supported", name, "ECDSA, RSA or Ed25519")
