"""Whether the name in a signature is the image's: `signedIdentity` of containers-policy.json(5)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from rootless.errors import InvalidInput
from rootless.oci.reference import DOCKER_HUB, Reference, parse_reference


def full_name(text: str) -> Reference:
    """Return a reference in its full form, without a tag where none was given.

    Raises:
        InvalidInput: It is none.
    """
    reference = parse_reference(text)
    return replace(reference.canonical(DOCKER_HUB), tag=reference.tag)


class Identity(ABC):
    """A requirement on the name."""

    @abstractmethod
    def accepts(self, image: Reference, signed: Reference) -> bool:
        """Return whether an image that was asked for by one name may be signed by another."""


@dataclass(frozen=True, slots=True)
class MatchExact(Identity):
    """Both names are the same, tag or digest included."""

    def accepts(self, image: Reference, signed: Reference) -> bool:
        """Compare all of it."""
        return _is_complete(signed) and str(image) == str(signed)


@dataclass(frozen=True, slots=True)
class MatchRepoDigestOrExact(Identity):
    """The same tag, or, for an image that was asked for by digest, any tag of its repository."""

    def accepts(self, image: Reference, signed: Reference) -> bool:
        """Compare the repository, and the rest where the image has a tag."""
        if not _is_complete(signed):
            return False
        if image.tag:
            return str(image) == str(signed)
        return image.digest is not None and image.repository == signed.repository


@dataclass(frozen=True, slots=True)
class MatchRepository(Identity):
    """The same repository, any tag."""

    def accepts(self, image: Reference, signed: Reference) -> bool:
        """Compare the repository."""
        return image.repository == signed.repository


@dataclass(frozen=True, slots=True)
class ExactReference(Identity):
    """A name that is given, whatever the image was asked for by."""

    reference: Reference

    def accepts(self, image: Reference, signed: Reference) -> bool:
        """Compare with the given name."""
        del image
        return _is_complete(signed) and str(self.reference) == str(signed)


@dataclass(frozen=True, slots=True)
class ExactRepository(Identity):
    """A repository that is given."""

    repository: str

    def accepts(self, image: Reference, signed: Reference) -> bool:
        """Compare with the given repository."""
        del image
        return self.repository == signed.repository


@dataclass(frozen=True, slots=True)
class RemapIdentity(Identity):
    """The image's name with another beginning, for what was copied to another place."""

    prefix: str
    signed_prefix: str

    def accepts(self, image: Reference, signed: Reference) -> bool:
        """Compare as `MatchRepoDigestOrExact` does, after the change."""
        name = image.repository
        if name == self.prefix or name.startswith(self.prefix + "/"):
            try:
                other = full_name(self.signed_prefix + name[len(self.prefix) :])
            except InvalidInput:
                return False
            image = replace(other, tag=image.tag, digest=image.digest)
        return MatchRepoDigestOrExact().accepts(image, signed)


def _is_complete(reference: Reference) -> bool:
    return bool(reference.tag or reference.digest)
