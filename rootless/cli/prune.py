"""`rootless prune`: what no container runs in any more."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def prune(
    filters: Annotated[
        list[str] | None,
        typer.Option(
            *("--filter",),
            metavar="KEY=VALUE",
            help="By name, id, status, label, ancestor or exited.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--force", "-f", help="Accepted; nothing is asked.")
    ] = False,
) -> int:
    """Remove all containers that do not run, and print their IDs."""
    del force
    from rootless.cli.each import for_each  # noqa: PLC0415 - --help needs none of it
    from rootless.containers import commands, listing  # noqa: PLC0415

    commands.remove_leftovers()
    found = listing.listed(filters or [], everything=True)
    ended = [each.record.id for each in found if not each.status.may_be_alive]
    return for_each(ended, lambda word: commands.remove_one(word, force=False))
