"""`--expose` and `--publish-all`: ports that are listened on, of an image and of an option; pure.

An image names them as image-spec's config.md has it, "ExposedPorts": `80`, `80/tcp`, `53/udp`, and
as docker writes a range, `8000-8010/tcp`. Nothing but `--publish-all` makes any of them reachable.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace

from rootless.containers.network.ports import PortMapping, parse_publish
from rootless.errors import InvalidInput

log = logging.getLogger(__name__)

_FORM = "PORT[-PORT][/tcp|udp], such as 80, 53/udp or 8000-8010"
_MOST = 500


def parse_expose(text: str) -> str:
    """Return a value of `--expose` as an image's config has it; raises InvalidInput."""
    try:
        mapping = parse_publish(text)
    except InvalidInput:
        raise InvalidInput("not a port to expose", text, _FORM) from None
    if ":" in text:
        raise InvalidInput("a port to expose is the container's alone", text, f"{_FORM}; or -p")
    return str(mapping)


def to_publish(exposed: Iterable[str], published: Iterable[PortMapping]) -> tuple[PortMapping, ...]:
    """Return the ports that `--publish-all` adds, each of which gets a free port of the host.

    Args:
        exposed: Of the image and of `--expose`; what is neither TCP nor UDP is passed over.
        published: What `--publish` leads to already.

    Raises:
        InvalidInput: They are more than anybody can want.
    """
    known = {_inside(each) for mapping in published for each in mapping.singly()}
    found: dict[tuple[int, str], PortMapping] = {}
    for text in exposed:
        for each in _mapping(text):
            if _inside(each) not in known:
                found.setdefault(_inside(each), replace(each, chosen=True))
    if len(found) > _MOST:
        raise InvalidInput(
            f"more than {_MOST} ports cannot be published at once",
            f"{len(found)} are exposed",
            "name those that are needed: -p",
        )
    return tuple(found.values())


def _mapping(text: str) -> list[PortMapping]:
    try:
        mapping = parse_publish(parse_expose(text))
    except InvalidInput as error:
        log.warning("a port that the image exposes is not published: %s", error)
        return []
    return mapping.singly()


def _inside(mapping: PortMapping) -> tuple[int, str]:
    return mapping.container_port, mapping.protocol
