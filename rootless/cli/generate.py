"""`rootless generate`: files for other programs."""

from typing import Annotated

import typer

from rootless.cli.command import Command
from rootless.cli.group import Group

app = typer.Typer(
    cls=Group, rich_markup_mode=None, add_completion=False, help="Make files for other programs."
)


@app.callback()
def _generate() -> None:
    """Make files for other programs."""


@app.command(cls=Command)
def systemd(
    container: Annotated[str, typer.Argument(metavar="NAME", help="Name or ID.")],
    restart: Annotated[
        str, typer.Option("--restart-policy", metavar="POLICY", help="Restart= of the unit.")
    ] = "on-failure",
) -> None:
    """Print a systemd user unit that starts and stops a container."""
    import os  # noqa: PLC0415 - --help needs none of it

    from rootless.containers.systemd_unit import unit_of  # noqa: PLC0415

    typer.echo(unit_of(container, os.environ, restart), nl=False)
