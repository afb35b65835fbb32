"""`rootless kill`: a signal for what containers run."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def kill(
    containers: choice.Names = None,
    signal: Annotated[
        str, typer.Option("--signal", "-s", metavar="SIGNAL", help="Name or number.")
    ] = "KILL",
    everything: choice.Everything = False,  # noqa: FBT002 - typer's form of a flag
    latest: choice.Latest = False,  # noqa: FBT002
    cidfile: choice.Cidfile = None,
) -> int:
    """Send a signal to the command of running containers."""
    return actions.kill(locals())
