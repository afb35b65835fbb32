"""`rootless kill`: a signal for what containers run."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def kill(
    containers: Annotated[
        list[str], typer.Argument(metavar="NAME", show_default=False, help="Names or IDs.")
    ],
    signal: Annotated[
        str, typer.Option("--signal", "-s", metavar="SIGNAL", help="Name or number.")
    ] = "KILL",
) -> int:
    """Send a signal to the command of running containers."""
    return actions.kill(locals())
