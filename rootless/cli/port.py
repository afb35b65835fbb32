"""`rootless port`: which ports of the host lead into a container."""

from typing import Annotated

import typer

from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def port(
    container: choice.Name = "",
    wanted: Annotated[
        str,
        typer.Argument(metavar="PORT[/udp]", show_default=False, help="Only this one of it."),
    ] = "",
    everything: choice.Everything = False,  # noqa: FBT002 - typer's form of a flag
    latest: choice.Latest = False,  # noqa: FBT002
) -> None:
    """Show the published ports of a container, and where each is to be reached."""
    from rootless.containers import listing  # noqa: PLC0415 - --help needs none of it
    from rootless.containers.choice import Choice, chosen  # noqa: PLC0415

    if latest:  # what is left to say is the port
        container, wanted = wanted, container
    words = (container,) if container else ()
    for each in chosen(Choice(words, everything=everything, latest=latest), alive=True):
        for line in listing.port_lines(each, wanted):
            typer.echo(f"{each}\t{line}" if everything else line)
