"""`rootless explore`: look around in the layers of an image."""

import sys
from types import ModuleType
from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def explore(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all of it as JSON, for machines.")
    ] = False,
) -> None:
    """Show the layers of an image in the terminal: what each adds, changes, deletes and wastes.

    What a layer wastes are bytes that are in the image and that nobody can see: files of lower
    layers that were replaced or deleted.
    """
    import json  # noqa: PLC0415 - --help needs none of it

    from rootless.cli import layer_lines  # noqa: PLC0415
    from rootless.cli.named_image import named_image  # noqa: PLC0415
    from rootless.image.layer_changes import views  # noqa: PLC0415

    screen = None if as_json else _screen()
    store, found, _ = named_image(image)
    layers = views(store, found)
    if screen is None:
        typer.echo(json.dumps(layer_lines.to_json(found, layers), indent=2))
    else:
        screen.explore(found.reference or image, layers)


def _screen() -> ModuleType:
    """Return the module that draws; raises Precondition where it cannot."""
    from rootless.errors import InvalidInput, Precondition  # noqa: PLC0415

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidInput("explore needs a terminal", "", "--json prints it for machines")
    try:
        from rootless.cli import explore_screen  # noqa: PLC0415 - an optional library's
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        fix = "pip install 'rootless[tui]', or use --json or `rootless tree`"
        raise Precondition("textual is not installed", "", fix) from error
    return explore_screen
