"""Which containers a command is for: names, and options beside them."""

from typing import Annotated, Any

import typer

Latest = Annotated[bool, typer.Option("--latest", "-l", help="The one that was made last.")]
Everything = Annotated[bool, typer.Option("--all", "-a", help="All that run.")]
Cidfile = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="The one whose ID a file has.", show_default=False),
]
_FILTER: dict[str, Any] = {
    "metavar": "KEY=VALUE",
    "help": "Those that `ps --filter` shows.",
    "show_default": False,
}
Filters = Annotated[list[str] | None, typer.Option(*("--filter", "-f"), **_FILTER)]
FiltersBesideForce = Annotated[list[str] | None, typer.Option("--filter", **_FILTER)]
Ignore = Annotated[bool, typer.Option("--ignore", "-i", help="Pass over those that are not there.")]
Name = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="Name or ID; or --latest.")
]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", show_default=False, help="Names or IDs."),
]
Patience = Annotated[
    str,
    typer.Option(
        *("--time", "--timeout", "-t"),
        metavar="SECONDS",
        help="How long to wait before it is killed; -1 for ever.",
        show_default=False,
    ),
]
