"""`rootless ps`: which containers there are, and where each is in its life."""

from typing import Annotated

import typer

from rootless.cli import actions
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
        str, typer.Option("--format", metavar="table|json|TEMPLATE", help="How to print it.")
    ] = "table",
    filters: Annotated[
        list[str] | None,
        typer.Option(
            *("--filter", "-f"),
            metavar="KEY=VALUE",
            help="By name, id, status, label, ancestor, exited, health, volume, before, since.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        int, typer.Option("--last", "-n", metavar="N", help="The N newest.", show_default=False)
    ] = -1,
    latest: Annotated[  # noqa: FBT002
        bool, typer.Option("--latest", "-l", help="The newest.")
    ] = False,
    sort: Annotated[
        str,
        typer.Option(metavar="WORD", help="By command, id, image, names, runningfor, status."),
    ] = "created",
    size: Annotated[  # noqa: FBT002
        bool, typer.Option("--size", "-s", help="Show what each takes on the disk.")
    ] = False,
    noheading: Annotated[  # noqa: FBT002
        bool, typer.Option("--noheading", help="Leave the line of headings out.")
    ] = False,
    no_trunc: Annotated[  # noqa: FBT002
        bool, typer.Option("--no-trunc", help="Print IDs and commands in full.")
    ] = False,
) -> None:
    """List containers: those that run, or with --all every one."""
    actions.ps(locals())
