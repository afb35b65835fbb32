"""`rootless restart`: containers once more from the start, with the files that they wrote."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def restart(  # noqa: PLR0917 - one parameter an option
    containers: choice.Names = None,
    everything: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--all", "-a", help="All, those that do not run too.")
    ] = False,
    running: Annotated[  # noqa: FBT002
        bool, typer.Option("--running", help="All that run.")
    ] = False,
    latest: choice.Latest = False,  # noqa: FBT002
    filters: choice.Filters = None,
    cidfile: choice.Cidfile = None,
    timeout: choice.Patience = "",
) -> int:
    """Stop containers, and start them again; one that does not run is started."""
    return actions.restart(locals())
