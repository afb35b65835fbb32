"""What a pull is asked for, and what came of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rootless.errors import InvalidInput
from rootless.image.store import Store
from rootless.oci.descriptor import Descriptor, Platform
from rootless.oci.digest import Digest
from rootless.oci.reference import Reference

if TYPE_CHECKING:
    from rootless.registry.repository import Fetched, Repository
    from rootless.registry.settings import Settings

LAYERS_AT_ONCE = 3
"""More connections than this to one registry are seldom faster, and some answer them with 429."""
MOST_LAYERS_AT_ONCE = 16


class Policy(StrEnum):
    """When a registry is asked for an image."""

    MISSING = "missing"
    ALWAYS = "always"
    NEWER = "newer"
    """Always, but what is there serves where the registry does not answer."""
    NEVER = "never"


def parse_policy(text: str) -> Policy:
    """Read a policy; raises InvalidInput."""
    try:
        return Policy(text.lower())
    except ValueError:
        known = ", ".join(Policy)
        raise InvalidInput("no such pull policy", text, f"one of {known}") from None


@dataclass(frozen=True, slots=True)
class Offer:
    """An image that a registry has, before anything of it is kept.

    Attributes:
        reference: Its full name.
        repository: Where it is.
        settings: What the user says of registries.
        manifest: The manifest, verified against the digest that it was asked for by.
        index: The index that named it, None where a tag or a digest leads to it directly.
    """

    reference: Reference
    repository: "Repository"
    settings: "Settings"
    manifest: "Fetched"
    index: "Fetched | None"


Check = Callable[[Offer], Awaitable[None]]
"""Raises where an image must not be taken: its name, its signatures."""

Stage = Callable[[Store, Offer, Descriptor, Digest], Awaitable[bool]]
"""Makes a layer, by descriptor and diff ID, usable before it is there; False where it cannot."""


@dataclass(frozen=True, slots=True)
class PullOptions:
    """How images are pulled.

    Attributes:
        settings: What the user says of registries, credentials included.
        platform: Which image of an index; None for the host's.
        layers_at_once: How many layers are downloaded at the same time.
        check: Called before anything of an image is kept; None lets all pass.
        lazy: Layers that can be had piece by piece are left where they are: `stage`.
        stage: What does that.
        keeps_source: What comes as gzip is kept as well: see `LayerPull`.
    """

    settings: "Settings"
    platform: Platform | None = None
    layers_at_once: int = LAYERS_AT_ONCE
    check: Check | None = None
    lazy: bool = False
    stage: Stage | None = None
    keeps_source: bool = False


@dataclass(frozen=True, slots=True)
class PulledImage:
    """What came of a pull.

    Attributes:
        reference: The full name, by which the store has it.
        config_digest: The image ID.
        is_new: False where the store had it already.
    """

    reference: str
    config_digest: Digest
    is_new: bool
