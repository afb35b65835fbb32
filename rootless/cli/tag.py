"""`rootless tag`: another name for an image."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def tag(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
    new_names: Annotated[
        list[str], typer.Argument(metavar="NAME", help="Further names.", show_default=False)
    ],
) -> None:
    """Give an image further names; an image that had one of them before keeps its ID only."""
    from rootless.image import tag as tag_image  # noqa: PLC0415 - --help needs none of it
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    tag_image.tag(Store.open(Paths.from_environment(), create=True), image, new_names)
