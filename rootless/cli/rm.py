"""`rootless rm`: named containers and what they wrote."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def rm(
    containers: Annotated[
        list[str], typer.Argument(metavar="NAME", show_default=False, help="Which ones.")
    ],
) -> None:
    """Remove containers that `run --name` kept, with the files that they wrote."""
    from rootless.containers import names  # noqa: PLC0415 - --help needs none of it
    from rootless.paths import Paths  # noqa: PLC0415

    paths = Paths.from_environment()
    for name in containers:
        names.remove(paths, name)
        typer.echo(name)
