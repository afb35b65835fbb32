"""`rootless rm`: containers and what they wrote."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def rm(
    containers: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", show_default=False, help="Names or IDs."),
    ] = None,
    force: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option("--force", "-f", help="End those that run; ignore those that are not there."),
    ] = False,
    everything: Annotated[  # noqa: FBT002
        bool, typer.Option("--all", "-a", help="All of them.")
    ] = False,
) -> int:
    """Remove containers, with the files that they wrote and with their logs."""
    return actions.rm(locals())
