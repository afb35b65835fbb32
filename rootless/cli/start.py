"""`rootless start`: containers that were made, or have ended, run (again)."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def start(  # noqa: PLR0917 - one parameter an option
    containers: choice.Names = None,
    attach: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--attach", "-a", help="Show its output; end with its status.")
    ] = False,
    interactive: Annotated[  # noqa: FBT002
        bool, typer.Option("--interactive", "-i", help="Pass standard input.")
    ] = False,
    detach_keys: Annotated[
        str, typer.Option("--detach-keys", metavar="KEYS", help="What leaves it running.")
    ] = "ctrl-p,ctrl-q",
    sig_proxy: Annotated[  # noqa: FBT002
        bool, typer.Option("--sig-proxy/--no-sig-proxy", help="Pass signals on.")
    ] = True,
    everything: Annotated[  # noqa: FBT002
        bool, typer.Option("--all", help="All that do not run.")
    ] = False,
    latest: choice.Latest = False,  # noqa: FBT002
    filters: choice.Filters = None,
) -> int:
    """Start containers, with the files that they wrote before.

    Return when they run; with --attach when the one that is named has ended.
    """
    return actions.start(locals())
