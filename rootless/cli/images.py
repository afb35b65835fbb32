"""`rootless images`: what the store holds."""

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from rootless.cli.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rootless.image.names import Entry, Image
    from rootless.image.store import Store

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def images(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Show images of this name.", show_default=False)
    ] = "",
    form: Annotated[
        str, typer.Option("--format", metavar="table|json|TEMPLATE", help="How to print it.")
    ] = "table",
    quiet: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--quiet", "-q", help="Print image IDs only.")
    ] = False,
    no_trunc: Annotated[  # noqa: FBT002
        bool, typer.Option("--no-trunc", help="Print IDs in full.")
    ] = False,
    digests: Annotated[  # noqa: FBT002
        bool, typer.Option("--digests", help="Show the manifests' digests.")
    ] = False,
) -> None:
    """List the images in the store."""
    import itertools  # noqa: PLC0415 - --help needs none of it
    import json  # noqa: PLC0415

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
    if quiet:
        everything = itertools.chain(*found.values())
        for image_id in dict.fromkeys(_id(image, no_trunc=no_trunc) for image in everything):
            typer.echo(image_id)
    elif form == "json":
        listed = [
            describe.summary(image, named) | {"Store": str(place.root), "ReadOnly": place != store}
            for place, images_there in found.items()
            for image, named in describe.grouped(images_there)
        ]
        typer.echo(json.dumps(listed, indent=2))
    else:
        _print_table(found, no_trunc=no_trunc, digests=digests, form=form)


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


def _print_table(
    found: "dict[Store, list[Image]]", *, no_trunc: bool, digests: bool, form: str
) -> None:
    from datetime import datetime  # noqa: PLC0415

    from rootless.cli import table  # noqa: PLC0415
    from rootless.image.describe import digest_of  # noqa: PLC0415

    now = datetime.now(UTC)
    rows = []
    placed = [(place, image) for place, images_there in found.items() for image in images_there]
    several = len(found) > 1
    for place, image in sorted(placed, key=lambda each: each[1].created, reverse=True):
        repository, tag = _split(image.reference)
        digest = [digest_of(image)] if digests else []
        age = table.age(image.created, now)
        size = table.size(image.size) + _share_here(place, image)
        where = [str(place.root)] if several else []
        rows.append([repository, tag, *digest, _id(image, no_trunc=no_trunc), age, size, *where])
    if form != "table":
        _print_rows(rows, form, ["Digest"] if digests else [])
        return
    header = ["REPOSITORY", "TAG", *(["DIGEST"] if digests else []), "IMAGE ID", "CREATED", "SIZE"]
    header += ["STORE"] if several else []
    for line in table.lines(header, rows):
        typer.echo(line)


def _print_rows(rows: "list[list[str]]", form: str, more: list[str]) -> None:
    """Print a line for each image, by a template over podman's names of the columns."""
    from rootless.cli.formatted import template_lines  # noqa: PLC0415

    names = ["Repository", "Tag", *more, "ID", "CreatedSince", "Size"]
    for line in template_lines([dict(zip(names, row, strict=False)) for row in rows], form):
        typer.echo(line)


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
