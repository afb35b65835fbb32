"""`rootless rm`: containers and what they wrote."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def rm(  # noqa: PLR0917 - one parameter an option
    containers: choice.Names = None,
    force: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option("--force", "-f", help="End those that run; ignore those that are not there."),
    ] = False,
    everything: Annotated[  # noqa: FBT002
        bool, typer.Option("--all", "-a", help="All of them.")
    ] = False,
    latest: choice.Latest = False,  # noqa: FBT002
    filters: choice.FiltersBesideForce = None,
    cidfile: choice.Cidfile = None,
    ignore: choice.Ignore = False,  # noqa: FBT002
    timeout: Annotated[
        str,
        typer.Option(
            *("--time", "-t"),
            metavar="SECONDS",
            help="As --force, and give those that run so long to end by their stop signal.",
            show_default=False,
        ),
    ] = "",
    volumes: Annotated[  # noqa: FBT002
        bool, typer.Option("--volumes", "-v", help="Always so: they are part of its files.")
    ] = False,
) -> int:
    """Remove containers, with the files that they wrote and with their logs."""
    return actions.rm(locals())
