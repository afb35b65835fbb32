"""`rootless wait`: until containers have ended."""

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def wait(
    containers: Annotated[
        list[str], typer.Argument(metavar="NAME", show_default=False, help="Names or IDs.")
    ],
) -> int:
    """Wait until containers have ended, and print their exit statuses, one a line."""
    return actions.wait(locals())
