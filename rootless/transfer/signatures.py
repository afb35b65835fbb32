"""Policies and keys at work: what is asked of an image before anything of it is kept."""

from collections.abc import Callable, Sequence

from rootless.errors import InvalidInput
from rootless.signature.keys import PublicKey
from rootless.signature.policy import Policy
from rootless.signature.scopes import path_place, registry_place
from rootless.signature.verify import SignedImage, by_keys, check_image, check_place
from rootless.transfer.pull_options import Check, Offer

PlaceCheck = Callable[[str, str], None]
"""Takes a transport and a path; raises where no image may be taken from there."""


def offer_check(policy: Policy, keys: Sequence[PublicKey]) -> Check | None:
    """Return what checks an image that a registry offers; None where every one may be taken.

    Args:
        policy: What the user's or the machine's policy says.
        keys: One of these must have signed it as well; none says nothing.
    """
    if policy.accepts_everything and not keys:
        return None

    async def check(offer: Offer) -> None:
        requirements = policy.requirements(registry_place(offer.reference))
        if keys:
            requirements = (*requirements, by_keys(keys))
        documents = (offer.index, offer.manifest)
        digests = tuple(each.digest for each in documents if each is not None)
        image = SignedImage(offer.reference, digests)
        await check_image(requirements, image, offer.repository, policy.path)

    return check


def place_check(policy: Policy, keys: Sequence[PublicKey]) -> PlaceCheck | None:
    """Return what checks an image in a folder or an archive; None where every one may be taken."""
    if policy.accepts_everything and not keys:
        return None

    def check(transport: str, path: str) -> None:
        if keys:
            fix = "signatures are kept in registries: pull it by its name"
            raise InvalidInput("image has no signature to be verified", path, fix)
        check_place(policy, path_place(transport, path))

    return check
