"""`rootless bundle`: make OCI bundles and their config.json."""

from typing import Annotated

import typer

from rootless.cli.command import Command
from rootless.cli.group import Group

app = typer.Typer(cls=Group, rich_markup_mode=None, add_completion=False, help="Make OCI bundles.")


@app.command(cls=Command, context_settings={"allow_interspersed_args": False})
def create(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.")],
    folder: Annotated[str, typer.Argument(metavar="DIR", help="The bundle; made if missing.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", show_default=False, help="In place of the image's."),
    ] = None,
    terminal: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--tty", "-t", help="The command gets a terminal.")
    ] = False,
) -> None:
    """Make a bundle of an image; its rootfs is served, not unpacked.

    Run it with `rootless run --bundle DIR`.
    """
    from rootless.bundle.options import RunOptions  # noqa: PLC0415 - --help needs none of it
    from rootless.containers.bundles import create_bundle  # noqa: PLC0415

    create_bundle(image, folder, RunOptions(command=tuple(command or ()), terminal=terminal))


@app.command(cls=Command)
def spec() -> None:
    """Write a default config.json into the current folder, to be edited."""
    from rootless.containers.bundles import write_default_spec  # noqa: PLC0415

    typer.echo(write_default_spec())
