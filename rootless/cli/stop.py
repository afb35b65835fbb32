"""`rootless stop`: running containers to their end."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def stop(  # noqa: PLR0917 - one parameter an option
    containers: choice.Names = None,
    everything: choice.Everything = False,  # noqa: FBT002 - typer's form of a flag
    latest: choice.Latest = False,  # noqa: FBT002
    filters: choice.Filters = None,
    cidfile: choice.Cidfile = None,
    ignore: choice.Ignore = False,  # noqa: FBT002
    number: Annotated[
        str,
        typer.Option(
            *("--signal", "-s"),
            metavar="SIGNAL",
            help="In place of its stop signal.",
            show_default=False,
        ),
    ] = "",
    timeout: choice.Patience = "",
) -> int:
    """Stop containers: their stop signal first, SIGKILL after some seconds."""
    return actions.stop(locals())
