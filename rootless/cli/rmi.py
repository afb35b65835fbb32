"""`rootless rmi`: images out of the store."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def rmi(
    images: Annotated[
        list[str] | None,
        typer.Argument(metavar="IMAGE", help="Names or IDs.", show_default=False),
    ] = None,
    force: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option(
            "--force", "-f", help="With an ID, remove all its names; ignore missing images."
        ),
    ] = False,
    everything: Annotated[  # noqa: FBT002
        bool, typer.Option("--all", "-a", help="Remove all images.")
    ] = False,
) -> None:
    """Remove images: their names, then the layers and trees that no other image needs.

    Containers that run go on: what they have open is freed when they end.
    """
    from rootless.errors import InvalidInput  # noqa: PLC0415 - --help needs none of it
    from rootless.image import gc, remove  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    if bool(images) == everything:
        raise InvalidInput("what to remove", fix="give IMAGE..., or --all")
    store = Store.open(Paths.from_environment(), create=True)
    removed = (
        remove.remove_all(store) if everything else remove.remove(store, images or [], force=force)
    )
    gc.sweep(store)
    for reference in removed.untagged:
        typer.echo(f"Untagged: {reference}")
    for digest in removed.deleted:
        typer.echo(f"Deleted: {digest}")
