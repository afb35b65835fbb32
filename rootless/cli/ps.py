"""`rootless ps`: which containers there are, and where each is in its life."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def ps(  # noqa: PLR0917 - one parameter an option
    everything: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--all", "-a", help="Those that do not run, too.")
    ] = False,
    quiet: Annotated[  # noqa: FBT002
        bool, typer.Option("--quiet", "-q", help="Print IDs only.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="table|json", help="How to print it.")
    ] = "table",
    filters: Annotated[
        list[str] | None,
        typer.Option(
            *("--filter", "-f"),
            metavar="KEY=VALUE",
            help="By name, id, status, label, ancestor or exited.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        int, typer.Option("--last", "-n", metavar="N", help="The N newest.", show_default=False)
    ] = -1,
    no_trunc: Annotated[  # noqa: FBT002
        bool, typer.Option("--no-trunc", help="Print IDs and commands in full.")
    ] = False,
) -> None:
    """List containers: those that run, or with --all every one."""
    import json  # noqa: PLC0415 - --help needs none of it

    from rootless.cli import table  # noqa: PLC0415
    from rootless.containers import listing  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415

    if form not in ("table", "json"):
        raise InvalidInput("no such format", form, "table or json")
    found = listing.listed(filters or [], everything=everything, last=last)
    if quiet:
        for each in found:
            typer.echo(each.record.id if no_trunc else each.record.id[:12])
    elif form == "json":
        typer.echo(json.dumps([listing.summary(each) for each in found], indent=2))
    else:
        rows = [listing.row(each, no_trunc=no_trunc) for each in found]
        for line in table.lines(listing.HEADER, rows):
            typer.echo(line)
