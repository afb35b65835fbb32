"""`rootless top`: the processes of a container."""

import typer

from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def top(
    container: choice.Name = "",
    latest: choice.Latest = False,  # noqa: FBT002 - typer's form of a flag
) -> None:
    """List the processes of a running container, with the IDs that they have inside."""
    from rootless.cli import table  # noqa: PLC0415 - --help needs none of it
    from rootless.containers import top as tops  # noqa: PLC0415
    from rootless.containers.choice import the_one  # noqa: PLC0415

    for line in table.lines(tops.HEADER, tops.rows(the_one(container, latest=latest))):
        typer.echo(line)
