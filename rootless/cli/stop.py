"""`rootless stop`: running containers to their end."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def stop(
    containers: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", show_default=False, help="Names or IDs."),
    ] = None,
    everything: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--all", "-a", help="All that run.")
    ] = False,
    timeout: Annotated[
        str,
        typer.Option(
            *("--time", "--timeout", "-t"),
            metavar="SECONDS",
            help="How long to wait before it is killed; -1 for ever.",
            show_default=False,
        ),
    ] = "",
) -> int:
    """Stop containers: their stop signal first, SIGKILL after some seconds."""
    return actions.stop(locals())
