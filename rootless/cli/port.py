"""`rootless port`: which ports of the host lead into a container."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def port(
    container: Annotated[str, typer.Argument(metavar="NAME", help="Name or ID.")],
    wanted: Annotated[
        str,
        typer.Argument(metavar="PORT[/udp]", show_default=False, help="Only this one of it."),
    ] = "",
) -> None:
    """Show the published ports of a container, and where each is to be reached."""
    from rootless.containers import listing  # noqa: PLC0415 - --help needs none of it

    for line in listing.port_lines(container, wanted):
        typer.echo(line)
