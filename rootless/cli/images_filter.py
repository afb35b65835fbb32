"""`rootless images --filter` and `--sort`: podman's and docker's keys."""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rootless.cli.pruned import wanted_images
from rootless.cli.table import parse_time
from rootless.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from rootless.image.names import Image
    from rootless.image.store import Store

_OF_PRUNE = ("label", "label!", "until")
_KEYS = "reference, dangling, label, label!, until, before, since, id or readonly"


def wanted(
    filters: Sequence[str], found: "Mapping[Store, Sequence[Image]]", own: "Store"
) -> "Callable[[Store, Image], bool]":
    """Return whether an image of a store is meant: all filters must hold; raises InvalidInput.

    Args:
        filters: KEY=VALUE each.
        found: All images, by store, for `before` and `since`.
        own: The store that can be written.
    """
    as_prune = wanted_images([text for text in filters if text.partition("=")[0] in _OF_PRUNE])
    tests: list[Callable[[Store, Image], bool]] = [lambda _, image: as_prune(image)]
    for text in filters:
        key, equals, value = text.partition("=")
        if key in _OF_PRUNE:
            continue
        if not equals:
            raise InvalidInput("not a filter", text, f"KEY=VALUE, by {_KEYS}")
        if key in ("before", "since"):
            tests.append(_by_neighbour(key, value, found))
        elif key == "dangling":
            tests.append(_named(without=_is_true(text, value)))
        elif key == "readonly":
            tests.append(_in_store(own, others=_is_true(text, value)))
        elif key == "id":
            tests.append(_by_id(value.removeprefix("sha256:")))
        elif key == "reference":
            tests.append(_by_reference(value))
        else:
            raise InvalidInput("not a filter", text, f"KEY=VALUE, by {_KEYS}")
    return lambda place, image: all(test(place, image) for test in tests)


def _is_true(text: str, value: str) -> bool:
    if value not in ("true", "false", "1", "0"):
        raise InvalidInput("not a filter", text, "true or false")
    return value in ("true", "1")


def _named(*, without: bool) -> "Callable[[Store, Image], bool]":
    return lambda _, image: (not image.reference) is without


def _in_store(own: "Store", *, others: bool) -> "Callable[[Store, Image], bool]":
    return lambda place, _: (place != own) is others


def _by_id(value: str) -> "Callable[[Store, Image], bool]":
    return lambda _, image: image.config_digest.partition(":")[2].startswith(value)


def _by_reference(pattern: str) -> "Callable[[Store, Image], bool]":
    """A pattern of the whole name or of its last parts, with its tag or without."""

    def test(_: "Store", image: "Image") -> bool:
        parts = image.reference.split("/")
        names = ["/".join(parts[i:]) for i in range(len(parts))] if image.reference else []
        return any(
            fnmatch.fnmatchcase(name, pattern)
            or fnmatch.fnmatchcase(name.rpartition(":")[0], pattern)
            for name in names
        )

    return test


def _by_neighbour(
    key: str, value: str, found: "Mapping[Store, Sequence[Image]]"
) -> "Callable[[Store, Image], bool]":
    is_id, is_name = _by_id(value.removeprefix("sha256:")), _by_reference(value)
    every = [(place, image) for place, images in found.items() for image in images]
    meant = [image for place, image in every if is_name(place, image) or is_id(place, image)]
    moment = parse_time(meant[0].created) if value and meant else None
    if moment is None:
        raise NotFound("no such image, or it has no time", value)

    def test(_: "Store", image: "Image") -> bool:
        created = parse_time(image.created)
        return created is not None and (created < moment if key == "before" else created > moment)

    return test


def order(word: str) -> "tuple[Callable[[Image], Any], bool]":
    """Return what to sort by, and whether the greatest comes first; raises InvalidInput."""
    if word not in _ORDERS:
        raise InvalidInput("no such order", word, f"--sort {', '.join(_ORDERS)}")
    return _ORDERS[word], word in ("created", "size")


def _tag(image: "Image") -> str:
    return image.reference.rpartition(":")[2]


_ORDERS: "dict[str, Callable[[Image], Any]]" = {
    "created": lambda image: image.created,
    "id": lambda image: image.config_digest,
    "repository": lambda image: image.reference,
    "size": lambda image: image.size,
    "tag": _tag,
}
