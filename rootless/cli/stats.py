"""`rootless stats`: what running containers use."""

from typing import Annotated

import typer

from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def stats(
    containers: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Names or IDs; else all.")
    ] = None,
    no_stream: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--no-stream", help="Print once.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="table|json", help="How to print it.")
    ] = "table",
    interval: Annotated[
        float, typer.Option("--interval", "-i", metavar="SECONDS", help="How often.")
    ] = 5.0,
    latest: choice.Latest = False,  # noqa: FBT002
) -> None:
    """Show the CPU time, memory, processes and traffic of running containers, until Ctrl-C."""
    import json  # noqa: PLC0415 - --help needs none of it
    import sys  # noqa: PLC0415

    from rootless.cli import table  # noqa: PLC0415
    from rootless.containers.choice import Choice, chosen  # noqa: PLC0415
    from rootless.containers.stats import HEADER  # noqa: PLC0415
    from rootless.containers.watching import watch  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415

    if form not in ("table", "json"):
        raise InvalidInput("no such format", form, "table or json")
    if not 0.1 <= interval <= 86400:
        raise InvalidInput("--interval must lie between 0.1 and 86400", str(interval))
    clear = "\x1b[H\x1b[J" if sys.stdout.isatty() and not no_stream else ""
    if latest:
        containers = chosen(Choice(tuple(containers or ()), latest=True))
    for found in watch(containers or [], interval):
        if form == "json":
            text = json.dumps([each.to_document() for each in found], indent=2)
        else:
            text = "\n".join(table.lines(HEADER, [each.row() for each in found]))
        typer.echo(clear + text)
        sys.stdout.flush()
        if no_stream:
            return
