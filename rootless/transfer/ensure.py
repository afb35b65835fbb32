"""An image for `run`: what the store has, or what a registry has, as `--pull` says.

Where the store's image serves, nothing of registries is imported.
"""

import re
from collections.abc import Callable, Iterable

from rootless.errors import AccessDenied, InvalidInput, NotFound, RegistryError
from rootless.image import meant, names
from rootless.image.store import Store
from rootless.oci.descriptor import Platform
from rootless.oci.image_index import matches
from rootless.oci.reference import LOCALHOST, parse_reference
from rootless.transfer.pull_options import Policy

_ID = re.compile(r"sha256:[0-9a-f]+|[0-9a-f]{64}")


def ensure_image(
    store: Store,
    name: str,
    policy: Policy,
    fetch: Callable[[], str],
    *,
    platform: Platform | None = None,
    candidates: Callable[[str], Iterable[str]] = lambda _: (),
) -> str:
    """Return the name under which the store has an image then.

    Args:
        store: The store.
        name: What the user calls the image.
        policy: When a registry is asked.
        fetch: Pulls the image and returns its name.
        platform: What it must be for, where the user says so.
        candidates: Says which full names a short one may stand for, beside what `names.find` knows.

    Raises:
        NotFound: Neither the store nor a registry has it, or none may be asked.
        RootlessError: As `pull`, where a registry was asked.
    """
    found = _looked_up(store, name)
    if found is None:
        return name
    missing = found if isinstance(found, NotFound) else _unfit(store, found, name, platform)
    if missing is None and policy in (Policy.MISSING, Policy.NEVER):
        return name
    if missing is not None and policy in (Policy.MISSING, Policy.NEVER) and may_be_pulled(name):
        for full in candidates(name):  # an alias is known to registries.conf alone
            if _missing(store, full, platform) is None:
                return full
    if policy is Policy.NEVER or not may_be_pulled(name):
        if missing is not None:
            raise missing
        return name
    try:
        return fetch()
    except (NotFound, AccessDenied, RegistryError) as error:
        if missing is None and policy is Policy.NEWER:
            return name
        if missing is None or parse_reference(name).domain:
            raise  # there is one registry that could have it, and that is what it says
        fix = f"{error.what}: {error.on}" if error.on else error.what
        fix = f"{fix}; {error.fix}" if error.fix else fix
        if missing.fix.startswith("did you mean"):
            fix = f"{missing.fix} {fix}"
        raise NotFound(missing.what, missing.on, fix) from error


def _looked_up(store: Store, name: str) -> names.Entry | NotFound | None:
    """Return the store's image, why it has none, or None for a file's, used where it lies."""
    try:
        return names.find(store, name)[0]
    except (NotFound, InvalidInput) as error:
        if meant.is_file(name):
            return None
        if isinstance(error, InvalidInput):
            raise
        return error


def may_be_pulled(name: str) -> bool:
    """Return whether a registry can have an image of that name: not an ID, not localhost's."""
    if _ID.fullmatch(name):
        return False
    return parse_reference(name).domain != LOCALHOST


def _missing(store: Store, name: str, platform: Platform | None) -> NotFound | None:
    """Return why the store's image does not serve, None where it does."""
    try:
        entry = names.find(store, name)[0]
    except NotFound as error:
        return error
    return _unfit(store, entry, name, platform)


def _unfit(
    store: Store, entry: names.Entry, name: str, platform: Platform | None
) -> NotFound | None:
    """Return that an image is for another platform, None where it is not."""
    if platform is None:
        return None
    own = names.read_image(store, entry).config.platform
    if matches(platform, own):
        return None
    return NotFound("image is not for the platform", f"{name}, {platform}", f"it is for {own}")
