"""From what a user calls an image to the image in the store: `pull`, and `run` where it is missing.

Imported by `run`, so nothing of registries is imported before a registry is asked.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rootless.errors import InvalidInput
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from rootless.image.store import Store
    from rootless.oci.descriptor import Platform
    from rootless.transfer.progress import Progress
    from rootless.transfer.pull_options import Policy, PullOptions

REGISTRY = "docker://"
_FILES = ("oci:", "oci-archive:", "docker-archive:")
_REFUSED = {
    "containers-storage:": "podman's store is read by podman: podman save NAME | rootless load",
    "docker-daemon:": "docker's store is read by docker: docker save NAME | rootless load",
    "dir:": "a folder of blobs is no image by itself: skopeo copy dir:DIR oci:DIR makes one",
}


def fetch(
    store: "Store", source: str, given: Mapping[str, Any], progress: "Progress"
) -> list[tuple[str, Digest]]:
    """Bring the images of a source into the store; return a name, or "", and the ID of each.

    Args:
        store: Where to.
        source: A reference, with or without `docker://`; else as `rootless load` has it.
        given: The options' values by parameter.
        progress: Who is told.
    """
    for transport, fix in _REFUSED.items():
        if source.startswith(transport):
            raise InvalidInput("no image comes from there", source, fix)
    if source.startswith(_FILES):
        return _loaded(store, source, given)
    from rootless.transfer.pull import pull, pull_all_tags  # noqa: PLC0415

    name = source.removeprefix(REGISTRY)
    options = _options(name, given)
    if given.get("all_tags"):
        pulled = pull_all_tags(store, name, options, progress)
    else:
        pulled = [pull(store, name, options, progress)]
    return [(image.reference, image.config_digest) for image in pulled]


def by_policy(
    store: "Store", source: str, given: Mapping[str, Any], progress: "Progress"
) -> list[tuple[str, Digest]]:
    """Return the names and IDs of a source's images, fetched where `policy` wants that."""
    from rootless.image import names  # noqa: PLC0415
    from rootless.transfer.ensure import ensure_image  # noqa: PLC0415
    from rootless.transfer.pull_options import Policy, parse_policy  # noqa: PLC0415

    policy = _with_keys(parse_policy(given["policy"]), source, given)
    if policy is Policy.ALWAYS or given["all_tags"] or source.startswith(_FILES):
        return fetch(store, source, given, progress)
    name = ensure_image(
        store,
        source.removeprefix(REGISTRY),
        policy,
        lambda: _only(fetch(store, source, given, progress), source),
        platform=platform_of(given),
        candidates=_candidates,
    )
    entry = names.find(store, name)[0]
    return [(entry.reference, entry.config_digest)]


def image_for_run(
    image: str, given: Mapping[str, Any], instead: Callable[[], str] | None = None
) -> str:
    """Return what the store calls an image that is to run, after it was pulled where that is due.

    Args:
        image: What the user calls it.
        given: The options' values by parameter.
        instead: Called where it would be pulled.
    """
    from rootless.image.store import Store  # noqa: PLC0415 - after --help
    from rootless.paths import Paths  # noqa: PLC0415
    from rootless.transfer.ensure import ensure_image  # noqa: PLC0415
    from rootless.transfer.pull_options import parse_policy  # noqa: PLC0415

    paths = Paths.from_environment()

    def fetched() -> str:
        from rootless.cli.transfers import shown  # noqa: PLC0415 - only where a registry is asked

        made = Store.open(paths, create=True)
        with shown("auto", quiet=given["quiet"]) as progress:
            return _only(fetch(made, image, {**_NONE, **given}, progress), image)

    policy = _with_keys(parse_policy(given["pull"] or "missing"), image, given)
    store = Store.open(paths, create=False)
    if image.startswith((*_FILES, *_REFUSED)):
        return (instead or fetched)()
    name = image.removeprefix(REGISTRY)
    return ensure_image(
        store,
        name,
        policy,
        instead or fetched,
        platform=platform_of({**_NONE, **given}),
        candidates=_candidates,
    )


def _candidates(name: str) -> list[str]:
    """Return the full names that registries.conf has for a short one; none where it has faults."""
    from rootless.registry.settings import Settings, candidates  # noqa: PLC0415 - seldom asked

    try:
        return [str(reference) for reference in candidates(name, Settings.load())]
    except InvalidInput:  # who goes on to ask a registry hears of it
        return []


def _with_keys(policy: "Policy", source: str, given: Mapping[str, Any]) -> "Policy":
    """Return when to ask a registry, which is always where a key must have signed the image.

    What is in the store already may have come without that.
    """
    from rootless.image import meant  # noqa: PLC0415
    from rootless.transfer.ensure import may_be_pulled  # noqa: PLC0415
    from rootless.transfer.pull_options import Policy  # noqa: PLC0415

    if not given["verify_key"] or source.startswith((*_FILES, *_REFUSED)):
        return policy
    name = source.removeprefix(REGISTRY)
    if policy is Policy.NEVER or meant.is_file(name) or not may_be_pulled(name):
        fix = "signatures are kept in registries, so one must be asked"
        raise InvalidInput("image has no signature to be verified", source, fix)
    return Policy.ALWAYS


_NONE = dict.fromkeys(
    (
        *("os", "arch", "variant", "all_tags", "layers_at_once"),
        *("cert_dir", "creds", "retry", "retry_delay"),
    ),
    "",
)
"""The options of `pull` that `run` has not."""


def _only(images: list[tuple[str, Digest]], source: str) -> str:
    """Return the name, or the ID, of the one image that a source has."""
    if len(images) != 1:
        raise InvalidInput("several images to run", source, "name one of them")
    reference, config_digest = images[0]
    return reference or config_digest


def platform_of(given: Mapping[str, Any]) -> "Platform | None":
    """Return the platform that the options ask for, None where they do not."""
    from rootless.oci.descriptor import Platform  # noqa: PLC0415
    from rootless.oci.image_index import host_platform, parse_platform  # noqa: PLC0415

    parts = tuple(given[name] for name in ("os", "arch", "variant"))
    if not any(parts):
        return parse_platform(given["platform"]) if given["platform"] else None
    if given["platform"]:
        fix = "--platform says all that --os, --arch and --variant do"
        raise InvalidInput("the platform is given twice", given["platform"], fix)
    own = host_platform()
    system, architecture, variant = parts
    if not architecture:
        return Platform(system or own.os, own.architecture, variant or own.variant)
    return Platform(system or own.os, architecture, variant)


def _options(name: str, given: Mapping[str, Any]) -> "PullOptions":
    from rootless.cli.registry_options import number, settings_of  # noqa: PLC0415
    from rootless.cli.signature_options import policy_and_keys  # noqa: PLC0415
    from rootless.transfer import pull_options as pulls  # noqa: PLC0415
    from rootless.transfer.lazily import staging  # noqa: PLC0415
    from rootless.transfer.signatures import offer_check  # noqa: PLC0415

    at_once = pulls.LAYERS_AT_ONCE
    if given["layers_at_once"]:
        most = pulls.MOST_LAYERS_AT_ONCE
        at_once = number(given["layers_at_once"], "--layers-at-once", 1, most)
    # credentials of the command line are nobody's who fetches later
    is_lazy = is_lazy_wanted(given) and not given["creds"]
    return pulls.PullOptions(
        settings_of(given, [name]),
        platform=platform_of(given),
        layers_at_once=at_once,
        check=offer_check(*policy_and_keys(given)),
        lazy=is_lazy,
        stage=staging(given["authfile"], given["cert_dir"]) if is_lazy else None,
        keeps_source=bool(given.get("keep_compressed", False)),
    )


def is_lazy_wanted(given: Mapping[str, Any]) -> bool:
    """Return whether layers may stay where they are until they are read; raises InvalidInput."""
    lazy = given.get("lazy", False)
    if isinstance(lazy, bool):
        return lazy
    if lazy not in ("", "auto", "never"):
        raise InvalidInput("--lazy must be auto or never", lazy)
    return str(lazy) != "never"


def _loaded(store: "Store", source: str, given: Mapping[str, Any]) -> list[tuple[str, Digest]]:
    from rootless.cli.signature_options import policy_and_keys  # noqa: PLC0415
    from rootless.image.load import load  # noqa: PLC0415
    from rootless.transfer.signatures import place_check  # noqa: PLC0415

    check = place_check(*policy_and_keys(given))
    images = load(store, source, platform=platform_of(given), check=check)
    return [(next(iter(image.references), ""), image.config_digest) for image in images]
