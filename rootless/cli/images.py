"""`rootless images`: what the store holds."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rootless.cli.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rootless.image.names import Entry, Image
    from rootless.image.store import Store

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def images(  # noqa: PLR0917 - one parameter an option
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Show images of this name.", show_default=False)
    ] = "",
    form: Annotated[
        str, typer.Option("--format", metavar="table|json|TEMPLATE", help="How to print it.")
    ] = "table",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print image IDs only.")] = False,
    no_trunc: Annotated[bool, typer.Option("--no-trunc", help="Print IDs in full.")] = False,
    digests: Annotated[
        bool, typer.Option("--digests", help="Show the manifests' digests.")
    ] = False,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            *("--filter", "-f"),
            metavar="KEY=VALUE",
            help="By reference, dangling, label, until, before, since, id, readonly.",
            show_default=False,
        ),
    ] = None,
    sort: Annotated[
        str, typer.Option(metavar="WORD", help="By created, id, repository, size or tag.")
    ] = "created",
    noheading: Annotated[
        bool, typer.Option("--noheading", "-n", help="Leave the line of headings out.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Always so: there are no images of steps.")
    ] = False,
) -> None:
    """List the images in the store."""
    del everything
    import json  # noqa: PLC0415 - --help needs none of it

    from rootless.cli import images_filter  # noqa: PLC0415
    from rootless.cli.formatted import check_list_format  # noqa: PLC0415
    from rootless.image import describe, names  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    check_list_format(form)
    store = Store.open(Paths.from_environment(), create=False)
    found = {
        place: list(_read(store, place, [e for e in listed if names.is_called(e, name)]))
        for place, listed in names.entries_of_all(store)
    }
    is_wanted = images_filter.wanted(filters or (), found, store)
    key, is_falling = images_filter.order(sort)
    placed = [(place, image) for place, there in found.items() for image in there]
    placed = [each for each in placed if is_wanted(*each)]
    placed.sort(key=lambda each: key(each[1]), reverse=is_falling)
    if quiet:
        for image_id in dict.fromkeys(_id(image, no_trunc=no_trunc) for _, image in placed):
            typer.echo(image_id)
    elif form == "json":
        listed = [
            describe.summary(image, named) | {"Store": str(place.root), "ReadOnly": place != store}
            for place in found
            for image, named in describe.grouped(each for at, each in placed if at == place)
        ]
        typer.echo(json.dumps(listed, indent=2))
    else:
        rows = _rows(placed, no_trunc=no_trunc)
        how = _How(form, heading=not noheading, digests=digests, stores=len(found) > 1)
        for line in _lines(rows, how):
            typer.echo(line)


def _read(store: "Store", place: "Store", listed: "Sequence[Entry]") -> "Iterator[Image]":
    """Yield the images of a store; a damaged one of another's is told and passed over."""
    from rootless.cli.exit import print_line  # noqa: PLC0415
    from rootless.errors import RootlessError  # noqa: PLC0415
    from rootless.image import names  # noqa: PLC0415

    for entry in listed:
        try:
            yield names.read_image(store, entry)
        except RootlessError as error:
            if place is store:
                raise
            print_line(f"{place.root}: {error}")


@dataclass(frozen=True, slots=True)
class _How:
    """What is printed of images.

    Attributes:
        form: "table", or a template.
        heading: With a line of headings.
        digests: With the manifests' digests.
        stores: With the stores that they lie in.
    """

    form: str
    heading: bool
    digests: bool
    stores: bool

    def columns(self) -> list[str]:
        """Return the columns of the table, by podman's names."""
        shown = ["Repository", "Tag", *(["Digest"] if self.digests else [])]
        return [*shown, "ID", "CreatedSince", "Size", *(["Store"] if self.stores else [])]


_HEADINGS = {"ID": "IMAGE ID", "CreatedSince": "CREATED"}


def _rows(placed: "Iterable[tuple[Store, Image]]", *, no_trunc: bool) -> list[dict[str, Any]]:
    """Return what a template may ask for of each image, the table's columns among it."""
    from datetime import datetime  # noqa: PLC0415

    from rootless.cli import table  # noqa: PLC0415
    from rootless.image.describe import digest_of, summary  # noqa: PLC0415

    now = datetime.now(UTC)
    rows = []
    for place, image in placed:
        repository, tag = _split(image.reference)
        columns = {
            "Repository": repository,
            "Tag": tag,
            "Digest": digest_of(image),
            "ID": _id(image, no_trunc=no_trunc),
            "CreatedSince": table.age(image.created, now),
            "Size": table.size(image.size) + _share_here(place, image),
            "Store": str(place.root),
            "Dangling": not image.reference,
        }
        rows.append(summary(image, (image.reference,) if image.reference else ()) | columns)
    return rows


def _lines(rows: list[dict[str, Any]], how: _How) -> list[str]:
    """Return the table's lines, or what a template makes of each image."""
    from rootless.cli import table  # noqa: PLC0415
    from rootless.cli.formatted import template_lines  # noqa: PLC0415

    if how.form != "table":
        return template_lines(rows, how.form, heading=how.heading)
    columns = how.columns()
    header = [_HEADINGS.get(name, name.upper()) for name in columns]
    lines = table.lines(header, [[str(row[name]) for name in columns] for row in rows])
    return lines if how.heading else lines[1:]


def _share_here(store: "Store", image: "Image") -> str:
    """Return how much of an image has come, where that is not all."""
    from rootless.image import forms  # noqa: PLC0415

    places = [forms.find_if_there(store, diff_id) for diff_id in image.config.diff_ids]
    if not any(place is not None and place.form is forms.Form.LAZY for place in places):
        return ""
    from rootless.lazy.needed import share_here  # noqa: PLC0415 - most have no use for it

    return f", {share_here(store, image.config.diff_ids):.0%} here"


def _split(reference: str) -> tuple[str, str]:
    from rootless.oci.reference import parse_reference  # noqa: PLC0415

    if not reference:
        return "<none>", "<none>"
    parsed = parse_reference(reference)
    return parsed.repository, parsed.tag or "<none>"


def _id(image: "Image", *, no_trunc: bool) -> str:
    digest = image.config_digest
    return digest if no_trunc else digest.partition(":")[2][:12]
