"""`rootless rename`: another name for a container."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def rename(
    container: Annotated[str, typer.Argument(metavar="NAME", help="Name or ID.")],
    name: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")],
) -> None:
    """Give a container another name; one that runs goes on."""
    from rootless.containers import commands  # noqa: PLC0415 - --help needs none of it

    commands.rename(container, name)
