"""policy.json: which images are taken, and by whose signatures; containers-policy.json(5).

As strict as containers/image: what is unknown or there twice makes the whole file unusable, since a
requirement that was misspelt must not be one that is missing. What this program cannot check
(GPG, certificates, logs) is read, and refuses the images that it is for.
"""

import base64
import binascii
import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rootless.errors import InvalidInput, NotFound
from rootless.oci.document import Node
from rootless.signature import identity
from rootless.signature.identity import Identity
from rootless.signature.keys import KeyFile, PublicKey
from rootless.signature.scopes import Place
from rootless.signature.strict import names_of, only, parse_strictly

SYSTEM_PATH = "/etc/containers/policy.json"
_LIMIT = 4 << 20
_KEY_FIELDS = ("keyPath", "keyPaths", "keyData", "keyDatas")
_REKOR_FIELDS = (
    "rekorPublicKeyPath",
    "rekorPublicKeyPaths",
    "rekorPublicKeyData",
    "rekorPublicKeyDatas",
)


@dataclass(frozen=True, slots=True)
class Accept:
    """`insecureAcceptAnything`."""


@dataclass(frozen=True, slots=True)
class Reject:
    """`reject`, or something that cannot be checked here.

    Attributes:
        reason: Why, where it is not the policy's own will.
    """

    reason: str = ""


@dataclass(frozen=True, slots=True)
class SigstoreSigned:
    """`sigstoreSigned` by one of some keys.

    Attributes:
        keys: One of them must have signed; they are loaded when there is something to verify.
        identity: What the signature's name must be.
        needs_name: Whether a signature that has no name is one of none.
    """

    keys: tuple[PublicKey | KeyFile, ...]
    identity: Identity
    needs_name: bool = True


Requirement = Accept | Reject | SigstoreSigned


@dataclass(frozen=True, slots=True)
class Policy:
    """What a policy says.

    Attributes:
        path: The file; empty where there is none and everything is accepted.
        default: Where nothing else is said.
        transports: By transport and scope.
    """

    path: str
    default: tuple[Requirement, ...]
    transports: Mapping[str, Mapping[str, tuple[Requirement, ...]]]

    @property
    def accepts_everything(self) -> bool:
        """Whether no image is refused, wherever it comes from."""
        found = [self.default]
        for scopes in self.transports.values():
            found += scopes.values()
        return all(isinstance(each, Accept) for requirements in found for each in requirements)

    def requirements(self, place: Place) -> tuple[Requirement, ...]:
        """Return what is required of an image; all of it must hold."""
        scopes = self.transports.get(place.transport, {})
        for scope in (*place.scopes, ""):
            if scope in scopes:
                return scopes[scope]
        return self.default


ACCEPT_ALL = Policy("", (Accept(),), {})


def load_policy(path: str, environ: Mapping[str, str]) -> Policy:
    """Read a policy: the user's own or the machine's where *path* is empty.

    Without any file everything is accepted.

    Raises:
        NotFound: There is no file of that name.
        InvalidInput: It is no policy, or a key in it is none.
    """
    if path:
        data = _read(path)
        if data is None:
            raise NotFound("no such signature policy", path)
        return parse_policy(data, path)
    home = environ.get("HOME")
    paths = [os.path.join(home, ".config/containers/policy.json")] if home else []
    for known in (*paths, SYSTEM_PATH):
        data = _read(known)
        if data is not None:
            return parse_policy(data, known)
    return ACCEPT_ALL


def parse_policy(data: bytes, path: str) -> Policy:
    """Read a policy's bytes; raises InvalidInput."""
    node = parse_strictly(data, f"signature policy {path}", _LIMIT)
    only(node, "default", "transports")
    default = _requirements(node.require("default"))
    transports = {
        name: {scope: _requirements(each.require(scope)) for scope in names_of(each)}
        for name, each in _objects(node.member("transports"))
    }
    return Policy(path, default, transports)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(_LIMIT + 1)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        text = os.strerror(error.errno or 0)
        raise InvalidInput("signature policy cannot be read", f"{path}: {text}") from None


def _objects(node: Node) -> Sequence[tuple[str, Node]]:
    return [(name, node.require(name)) for name in names_of(node)]


def _requirements(node: Node) -> tuple[Requirement, ...]:
    found = tuple(_requirement(item) for item in node.items())
    if not found:
        raise node.fault("is empty: say insecureAcceptAnything or reject")
    return found


def _requirement(node: Node) -> Requirement:
    kind = node.require_text("type")
    if kind == "insecureAcceptAnything":
        only(node, "type")
        return Accept()
    if kind == "reject":
        only(node, "type")
        return Reject()
    if kind == "signedBy":
        only(node, "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity")
        _one_of(node, ("keyPath", "keyPaths", "keyData"))
        return Reject("it wants a GPG signature (signedBy), which cannot be checked here")
    if kind == "sigstoreSigned":
        return _sigstore_signed(node)
    raise node.require("type").fault(f"is the unknown requirement {kind!r}")


def _sigstore_signed(node: Node) -> Requirement:
    only(node, "type", *_KEY_FIELDS, *_REKOR_FIELDS, "fulcio", "pki", "signedIdentity")
    source = _one_of(node, (*_KEY_FIELDS, "fulcio", "pki"))
    wanted = _identity(node.get("signedIdentity"))
    if source in ("fulcio", "pki"):
        return Reject(
            f"it wants a signature by a certificate ({source}), only keys are checked here"
        )
    for name in _REKOR_FIELDS:
        if node.get(name) is not None:
            return Reject(f"it wants an entry in a log ({name}), which cannot be checked here")
    return SigstoreSigned(_keys(node, source), wanted)


def _one_of(node: Node, names: Sequence[str]) -> str:
    found = [name for name in names if node.get(name) is not None]
    if len(found) != 1:
        raise node.fault(f"needs exactly one of {', '.join(names)}")
    return found[0]


def _keys(node: Node, source: str) -> tuple[PublicKey | KeyFile, ...]:
    values = node.texts(source) if source.endswith("s") else (node.require_text(source),)
    if not values:
        raise node.require(source).fault("is empty")
    if source.startswith("keyPath"):
        return tuple(map(KeyFile, values))
    where = f"{node.document}, {node.path}.{source}"
    try:
        return tuple(PublicKey(where, base64.b64decode(each, validate=True)) for each in values)
    except binascii.Error:
        raise node.require(source).fault("is not base64") from None


def _identity(node: Node | None) -> Identity:
    if node is None:
        return identity.MatchRepoDigestOrExact()
    kind = node.require_text("type")
    if kind in _PLAIN:
        only(node, "type")
        return _PLAIN[kind]
    if kind == "exactReference":
        only(node, "type", "dockerReference")
        reference = identity.full_name(node.require_text("dockerReference"))
        if not (reference.tag or reference.digest):
            raise node.require("dockerReference").fault("has neither a tag nor a digest")
        return identity.ExactReference(reference)
    if kind == "exactRepository":
        only(node, "type", "dockerRepository")
        reference = identity.full_name(node.require_text("dockerRepository"))
        return identity.ExactRepository(reference.repository)
    if kind == "remapIdentity":
        only(node, "type", "prefix", "signedPrefix")
        return identity.RemapIdentity(
            node.require_text("prefix"), node.require_text("signedPrefix")
        )
    raise node.require("type").fault(f"is the unknown identity {kind!r}")


_PLAIN: Mapping[str, Identity] = {
    "matchExact": identity.MatchExact(),
    "matchRepoDigestOrExact": identity.MatchRepoDigestOrExact(),
    "matchRepository": identity.MatchRepository(),
}
