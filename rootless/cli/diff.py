"""`rootless diff`: what a container changed of its image, and what an image of another."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rootless.cli import choice_options as choice
from rootless.cli.command import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootless.containers.diff import Change

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def diff(
    name: Annotated[
        str,
        typer.Argument(metavar="CONTAINER|IMAGE", help="Name or ID.", show_default=False),
    ] = "",
    other: Annotated[
        str,
        typer.Argument(metavar="IMAGE", help="The image to compare with.", show_default=False),
    ] = "",
    form: Annotated[
        str, typer.Option("--format", metavar="table|json", help="How to print it.")
    ] = "table",
    latest: choice.Latest = False,  # noqa: FBT002 - typer's form of a flag
) -> None:
    """List files that were added (A), changed (C) and deleted (D).

    Of a container against its image; of an image against what lies below its last layer; of two
    images the second against the first, by attributes and contents, not by times. What a deleted
    folder held goes without saying, and so do the places of mounts.
    """
    from rootless.cli.exit import printable  # noqa: PLC0415 - --help needs none of it
    from rootless.containers import diff  # noqa: PLC0415
    from rootless.containers.choice import the_one  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415

    if latest or not name:
        name = the_one(name, latest=latest)
    if form not in ("table", "json"):
        raise InvalidInput("no such format", form, "table or json")
    changes = _of_images(name, other) if other else _of_one(name)
    if form == "json":
        typer.echo(diff.to_json(changes))
        return
    is_terminal = sys.stdout.isatty()
    for change in changes:
        path = change.path.decode("utf-8", "backslashreplace" if is_terminal else "surrogateescape")
        if is_terminal:  # a container chooses its names
            path = printable(path)
        sys.stdout.buffer.write(f"{change.kind} {path}\n".encode("utf-8", "surrogateescape"))
    sys.stdout.flush()


def _of_one(name: str) -> "Sequence[Change]":
    """Return a container's changes; where there is none of the name, those of an image's layer."""
    from rootless.containers import diff, record  # noqa: PLC0415
    from rootless.containers.root_files import root_files  # noqa: PLC0415
    from rootless.errors import InvalidInput, NotFound  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    paths = Paths.from_environment()
    try:
        found = record.find(paths, name)
    except NotFound as error:
        try:
            return _of_last_layer(name)
        except (NotFound, InvalidInput):
            raise error from None
    given = {mount.destination for mount in found.container.spec.mounts} | diff.MADE_FOR_MOUNTS
    return diff.changes(root_files(paths, found), given)


def _of_last_layer(name: str) -> "Sequence[Change]":
    from rootless.cli.named_image import named_image  # noqa: PLC0415
    from rootless.containers.diff import Change, with_parents  # noqa: PLC0415
    from rootless.image.layer_changes import views  # noqa: PLC0415

    store, image, _ = named_image(name)
    layers = views(store, image)
    last = layers[-1].changes if layers else ()
    return with_parents(Change(b"/" + each.path, each.kind) for each in last)


def _of_images(one: str, two: str) -> "Sequence[Change]":
    from rootless.cli.named_image import named_image  # noqa: PLC0415
    from rootless.containers.diff import Change, with_parents  # noqa: PLC0415
    from rootless.containers.lazy_layers import complete_image  # noqa: PLC0415
    from rootless.image import trees  # noqa: PLC0415
    from rootless.image.image_changes import image_changes  # noqa: PLC0415

    places = []
    for name in (one, two):
        store, image, _ = named_image(name)
        complete_image(store, image)
        places.append(trees.place_of(store, image))
    return with_parents(Change(b"/" + path, kind) for path, kind in image_changes(*places) if path)
