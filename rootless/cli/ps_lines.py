"""The lines of `rootless ps`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rootless.cli import formatted, table
from rootless.containers import listing
from rootless.containers.listing import Listed


def lines(found: Sequence[Listed], given: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is printed of containers: a table, JSON, or what a template makes of each.

    Args:
        found: In their order.
        given: The options' values by parameter: form, no_trunc, size, noheading.
    """
    form, heading = given["form"], not given["noheading"]
    sizes = [table.size(size_of(each)) for each in found] if given["size"] else []
    if form == "json":
        documents = [listing.summary(each) for each in found]
        for document, size in zip(documents, sizes, strict=False):
            document["Size"] = size
        yield json.dumps(documents, indent=2)
        return
    rows = [listing.row(each, no_trunc=given["no_trunc"]) for each in found]
    if form == "table":
        rows = [[*row, size] for row, size in zip(rows, sizes, strict=True)] if sizes else rows
        header = (*listing.HEADER, *(["SIZE"] if sizes else []))
        yield from table.lines(header, rows)[0 if heading else 1 :]
        return
    shown = []
    for number, (each, row) in enumerate(zip(found, rows, strict=True)):
        columns = dict(zip(listing.FIELDS, row, strict=True))
        size = sizes[number] if sizes else _lazily(form, each)
        shown.append({**listing.summary(each), **columns, "Size": size})
    yield from formatted.template_lines(shown, form, heading=heading)


def _lazily(form: str, each: Listed) -> str:
    """Return the size where a template shows it: files are counted for it."""
    return table.size(size_of(each)) if ".Size" in form else ""


def size_of(each: Listed) -> int:
    """Return how many bytes a container takes up."""
    from rootless.containers import size  # noqa: PLC0415 - few ask
    from rootless.paths import Paths  # noqa: PLC0415

    return size.size_of(Paths.from_environment(), each.record)
