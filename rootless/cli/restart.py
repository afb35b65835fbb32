"""`rootless restart`: containers once more from the start, with the files that they wrote."""

from typing import Annotated

import typer

from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def restart(  # noqa: PLR0917 - one parameter an option
    containers: choice.Names = None,
    everything: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--all", "-a", help="All, those that do not run too.")
    ] = False,
    running: Annotated[  # noqa: FBT002
        bool, typer.Option("--running", help="All that run.")
    ] = False,
    latest: choice.Latest = False,  # noqa: FBT002
    filters: choice.Filters = None,
    cidfile: choice.Cidfile = None,
    timeout: Annotated[
        str,
        typer.Option(
            *("--time", "--timeout", "-t"),
            metavar="SECONDS",
            help="How long to wait before it is killed; -1 for ever.",
            show_default=False,
        ),
    ] = "",
) -> int:
    """Stop containers, and start them again; one that does not run is started."""
    from rootless.cli.each import for_each  # noqa: PLC0415 - --help needs none of it
    from rootless.containers import commands  # noqa: PLC0415
    from rootless.containers.choice import Choice, chosen  # noqa: PLC0415
    from rootless.containers.policy import seconds  # noqa: PLC0415

    patience = seconds(timeout, "--time") if timeout else None
    wanted = Choice(
        words=tuple(containers or ()),
        everything=everything or running,
        latest=latest,
        filters=tuple(filters or ()),
        id_files=tuple(cidfile or ()),
    )
    found = chosen(wanted, alive=True if running else None)
    return for_each(found, lambda word: commands.restart(word, patience))
