"""What `rootless system df` shows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rootless.cli import table
from rootless.containers import listing, size
from rootless.containers.listing import Listed
from rootless.image.store import Store
from rootless.image.usage import ImageUsage, StoreUsage, Usage, store_usage
from rootless.oci.reference import parse_reference
from rootless.paths import Paths

_HEADER = ("TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE")
_IMAGES = (
    *("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE"),
    "CONTAINERS",
)
_CONTAINERS = ("CONTAINER ID", "IMAGE", "SIZE", "CREATED", "STATUS", "NAMES")


@dataclass(frozen=True, slots=True)
class Found:
    """What there is.

    Attributes:
        store: Of the store.
        containers: Each with what it takes up.
    """

    store: StoreUsage
    containers: tuple[tuple[Listed, int], ...]

    @property
    def rows(self) -> list[tuple[str, Usage]]:
        """The lines of the table."""
        sizes = [n for _, n in self.containers]
        idle = [n for each, n in self.containers if not each.status.may_be_alive]
        containers = Usage(len(sizes), len(sizes) - len(idle), sum(sizes), sum(idle))
        return [
            ("Images", self.store.images),
            ("Containers", containers),
            ("Build Cache", self.store.builds),
            ("Downloads", self.store.downloads),
            ("Leftovers", self.store.leftovers),
        ]


def gather() -> Found:
    """Look at everything; raises StoreError."""
    paths = Paths.from_environment()
    listed = listing.listed((), everything=True)
    containers = tuple((each, size.size_of(paths, each.record)) for each in listed)
    in_use = {each.record.image.config_digest for each in listed}
    return Found(store_usage(Store.open(paths, create=False), in_use), containers)


def lines(found: Found) -> list[str]:
    """Return the table, as podman has it."""
    rows = [
        [name, str(u.total), str(u.active), table.size(u.size), _reclaimable(u)]
        for name, u in found.rows
    ]
    return table.lines(_HEADER, rows)


def _reclaimable(u: Usage) -> str:
    share = round(100 * u.reclaimable / u.size) if u.size else 0
    return f"{table.size(u.reclaimable)} ({share}%)"


def summary(found: Found) -> list[dict[str, Any]]:
    """Return the table as a document, as podman has it."""
    return [
        {
            "Type": name,
            "Total": u.total,
            "Active": u.active,
            "RawSize": u.size,
            "RawReclaimable": u.reclaimable,
            "Size": table.size(u.size),
            "Reclaimable": _reclaimable(u),
        }
        for name, u in found.rows
    ]


def detail_lines(found: Found) -> Iterator[str]:
    """Yield a table of the images and one of the containers, then that of all."""
    now = datetime.now(UTC)
    used = _used(found)
    yield "Images:"
    yield from table.lines(_IMAGES, [_image_row(each, used, now) for each in found.store.each])
    yield ""
    yield "Containers:"
    rows = [
        [
            each.record.id[:12],
            each.record.image.name,
            table.size(n),
            table.age(each.record.created, now),
            each.status.word,
            each.record.name,
        ]
        for each, n in found.containers
    ]
    yield from table.lines(_CONTAINERS, rows)
    yield ""
    yield from lines(found)


def _image_row(each: ImageUsage, used: Counter[str], now: datetime) -> Sequence[str]:
    image = each.image
    reference = parse_reference(each.references[0]) if each.references else None
    return (
        reference.repository if reference else "<none>",
        (reference.tag if reference else "") or "<none>",
        image.config_digest.partition(":")[2][:12],
        table.age(image.created, now),
        table.size(each.size),
        table.size(each.shared),
        table.size(each.size - each.shared),
        str(used[image.config_digest]),
    )


def _used(found: Found) -> Counter[str]:
    return Counter(each.record.image.config_digest for each, _ in found.containers)


def details(found: Found) -> dict[str, Any]:
    """Return everything as a document."""
    used = _used(found)
    return {
        "Images": [
            {
                "Id": each.image.config_digest.partition(":")[2],
                "Names": list(each.references),
                "CreatedAt": each.image.created,
                "Size": each.size,
                "SharedSize": each.shared,
                "UniqueSize": each.size - each.shared,
                "Containers": used[each.image.config_digest],
            }
            for each in found.store.each
        ],
        "Containers": [
            {
                "Id": each.record.id,
                "Names": [each.record.name],
                "Image": each.record.image.name,
                "CreatedAt": each.record.created,
                "Size": n,
                "Status": each.status.word,
            }
            for each, n in found.containers
        ],
        "Summary": summary(found),
    }
