"""`rootless store compact`: layers compressed, and decoded as they are read."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rootless.image.compact import Outcome


def compact(
    images: Annotated[
        list[str] | None,
        typer.Argument(metavar="IMAGE", help="Names or IDs.", show_default=False),
    ] = None,
    every: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--all", "-a", help="The layers of all images.")
    ] = False,
    undo: Annotated[  # noqa: FBT002
        bool, typer.Option("--undo", help="The other way round: have plain tars again.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002
        bool, typer.Option("--dry-run", help="Only list what would be done.")
    ] = False,
    quiet: Annotated[  # noqa: FBT002
        bool, typer.Option("--quiet", "-q", help="Show no progress, and only the sum.")
    ] = False,
) -> None:
    """Let the compressed form of layers take the place of their tars: less room, slower reads.

    Containers run as before, those that run just now too. A layer that two images share becomes so
    for both.
    """
    from rootless.cli import table  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.progress import shown  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.image import compact as compacting  # noqa: PLC0415
    from rootless.image.gc import sweep  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    if bool(images) == every:
        raise InvalidInput("which images?", "store compact", "name some, or say --all")
    store = Store.open(Paths.from_environment(), create=not dry_run)
    if not dry_run:
        sweep(store)
    layers = compacting.layers_of(store, images or ())
    before = after = 0
    with shown(quiet=quiet) as progress:
        for outcome in compacting.compact(
            store, layers, undo=undo, dry_run=dry_run, progress=progress
        ):
            if not quiet:
                typer.echo(_line(outcome))
            if outcome.stored:
                before, after = before + outcome.tar, after + outcome.stored
    if not dry_run:
        typer.echo(f"{table.size(before)} of layers take {table.size(after)}")


def _line(outcome: "Outcome") -> str:
    from rootless.cli import table  # noqa: PLC0415

    name = outcome.diff_id.removeprefix("sha256:")[:12]
    sizes = table.size(outcome.tar)
    if outcome.stored not in (0, outcome.tar):
        sizes += f" -> {table.size(outcome.stored)}"
    return f"{name}  {outcome.result:<20}  {sizes}"
