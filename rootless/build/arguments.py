"""What ARG can find: the values given for a build, the file's own, the platform's; pure.

Source: the Dockerfile reference, "ARG": "Predefined ARGs", "Automatic platform ARGs in the global
scope".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rootless.oci.descriptor import Platform

PREDEFINED: Final = frozenset(
    name
    for word in ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
    for name in (word, word.upper())
)
"""Every RUN has these when they are given, without an ARG; no history and no cache knows them."""


@dataclass(frozen=True, slots=True)
class BuildArguments:
    """Values for ARG.

    Attributes:
        given: By `--build-arg`, which comes before every default.
        outer: Of what is declared before the first FROM, and of the platform: for an ARG without
            a default.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    outer: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str, default: str | None) -> str | None:
        """Return the value that `ARG NAME[=DEFAULT]` has; None for none."""
        if name in self.given:
            return self.given[name]
        return self.outer.get(name) if default is None else default

    @property
    def predefined(self) -> dict[str, str]:
        """What RUN gets without an ARG."""
        return {name: value for name, value in self.given.items() if name in PREDEFINED}


def platform_arguments(target: Platform, build: Platform) -> dict[str, str]:
    """Return the values that the platforms give: of the image, and of where it is built."""
    found: dict[str, str] = {}
    for prefix, platform in (("TARGET", target), ("BUILD", build)):
        parts = (platform.os, platform.architecture, platform.variant)
        found[f"{prefix}PLATFORM"] = "/".join(part for part in parts if part)
        names = ("OS", "ARCH", "VARIANT")
        found |= {f"{prefix}{name}": part for name, part in zip(names, parts, strict=True)}
    return found
