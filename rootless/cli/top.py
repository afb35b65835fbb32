"""`rootless top`: the processes of a container."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def top(
    container: Annotated[str, typer.Argument(metavar="NAME", help="Name or ID.")],
) -> None:
    """List the processes of a running container, with the IDs that they have inside."""
    from rootless.cli import table  # noqa: PLC0415 - --help needs none of it
    from rootless.containers import top as tops  # noqa: PLC0415

    for line in table.lines(tops.HEADER, tops.rows(container)):
        typer.echo(line)
