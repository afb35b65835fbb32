"""`rootless wait`: until containers have ended."""

import typer

from rootless.cli import actions
from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def wait(
    containers: choice.Names = None,
    latest: choice.Latest = False,  # noqa: FBT002 - typer's form of a flag
) -> int:
    """Wait until containers have ended, and print their exit statuses, one a line."""
    return actions.wait(locals())
