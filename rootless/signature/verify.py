"""Whether an image may be taken: a policy's requirements against the signatures that there are."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from rootless.errors import IntegrityError, InvalidInput
from rootless.oci.digest import Digest
from rootless.oci.reference import Reference
from rootless.signature.attachments import Source, signatures
from rootless.signature.identity import MatchRepository
from rootless.signature.keys import PublicKey
from rootless.signature.policy import Accept, Policy, Reject, Requirement, SigstoreSigned
from rootless.signature.scopes import Place
from rootless.signature.signed import Signature, Signed, read_signed

_REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class SignedImage:
    """An image whose signatures are looked for.

    Attributes:
        reference: The full name that it was asked for by.
        digests: Of its manifest and, where it was found by one, of its index: either may be signed,
            as one leads to the other.
    """

    reference: Reference
    digests: tuple[Digest, ...]


def by_keys(keys: Sequence[PublicKey]) -> SigstoreSigned:
    """Return the requirement of `--verify-key`: signed by one of them, for the image's repository.

    A signature that has no name, as those in bundles, is one of the digest.
    """
    return SigstoreSigned(tuple(keys), MatchRepository(), needs_name=False)


def check_place(policy: Policy, place: Place) -> None:
    """Check an image that comes from where no signatures are kept: a folder or an archive.

    Raises:
        IntegrityError: The policy does not want it.
    """
    for requirement in policy.requirements(place):
        if isinstance(requirement, SigstoreSigned):
            fix = f"{policy.path} wants a signature, which only a registry keeps"
            raise IntegrityError("image is not signed", place.name, fix)
        _check_plain(requirement, place.name, policy.path)


async def check_image(
    requirements: Sequence[Requirement], image: SignedImage, source: Source, path: str
) -> None:
    """Check an image of a registry against all requirements.

    Args:
        requirements: All must hold.
        image: The image.
        source: Where its signatures are.
        path: Of the policy, for messages.

    Raises:
        IntegrityError: It must not be taken.
        RegistryError: Its signatures could not be asked for.
    """
    name = str(image.reference)
    for requirement in requirements:
        if isinstance(requirement, SigstoreSigned):
            await _check_signed(requirement, image, source)
        else:
            _check_plain(requirement, name, path)


def _check_plain(requirement: Accept | Reject, name: str, path: str) -> None:
    if isinstance(requirement, Reject):
        reason = requirement.reason or "it rejects such images"
        raise IntegrityError("signature policy refuses the image", name, f"{path}: {reason}")


async def _check_signed(required: SigstoreSigned, image: SignedImage, source: Source) -> None:
    faults: list[str] = []
    keys = [key.load() for key in required.keys]
    for digest in image.digests:
        async with aclosing(signatures(source, digest, faults)) as found:
            async for signature in found:
                try:
                    _check(signature, keys, required, image)
                except InvalidInput as error:
                    faults.append(str(error))
                else:
                    return
    name = str(image.reference)
    if not faults:
        raise IntegrityError("image is not signed", name, "the registry has no signature of it")
    unique = list(dict.fromkeys(faults))
    shown = "; ".join(unique[:_REASONS_SHOWN])
    if len(unique) > _REASONS_SHOWN:
        shown += f"; and {len(unique) - _REASONS_SHOWN} more"
    raise IntegrityError("image has no signature that is accepted", name, shown)


def _check(
    signature: Signature, keys: Sequence[PublicKey], required: SigstoreSigned, image: SignedImage
) -> None:
    """Raise InvalidInput where a signature does not do; nothing in it is read before the key."""
    if not any(
        key.has_signed(signature.message, value)
        for key in keys
        for value in signature.values[:_REASONS_SHOWN]
    ):
        names = ", ".join(key.name for key in keys)
        raise InvalidInput("one is not by the key", names)
    _check_signed_content(read_signed(signature), required, image)


def _check_signed_content(signed: Signed, required: SigstoreSigned, image: SignedImage) -> None:
    if not any(digest in image.digests for digest in signed.digests):
        shown = ", ".join(signed.digests[:_REASONS_SHOWN]) or "nothing"
        raise InvalidInput("one is of another image", shown)
    if signed.name is None:
        if required.needs_name:
            raise InvalidInput("one has no name", "a bundle does not say which image it is of")
        return
    if not required.identity.accepts(image.reference, signed.name):
        raise InvalidInput("one is for another name", str(signed.name))
