"""`rootless tree`: the layers of an image, and what each of them adds."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def tree(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
) -> None:
    """Show the layers of an image, the lowest first, with what each adds, changes and hides.

    `Top Layer of` names the images that end with that layer.
    """
    from rootless.cli import layer_lines  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.named_image import all_images, named_image  # noqa: PLC0415
    from rootless.image.layer_changes import views  # noqa: PLC0415

    store, found, references = named_image(image)
    layers = views(store, found)
    tops = layer_lines.tops_of(found, all_images(store))
    for line in layer_lines.tree_lines(found, references, layers, tops):
        typer.echo(line)
