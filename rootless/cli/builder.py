"""`rootless builder`: what builds keep for the next one, as docker and podman group it."""

from typing import Annotated, ClassVar

import typer

from rootless.cli.command import Command
from rootless.cli.same_commands import SameCommands


class _Builder(SameCommands):
    same: ClassVar = {"build": "build"}


app = typer.Typer(cls=_Builder, rich_markup_mode=None, add_completion=False)


@app.callback()
def _builder() -> None:
    """Build images, and remove what builds keep."""


@app.command(cls=Command)
def prune(
    everything: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--all", "-a", help="Accepted: all of it goes.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Do not ask.")] = False,  # noqa: FBT002
    filters: Annotated[
        list[str] | None,
        typer.Option(
            *("--filter",),
            metavar="KEY=VALUE",
            help="until=TIME or how long ago: only what was kept before.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Remove the results of steps and the folders of cache mounts; images stay as they are."""
    from rootless.build.prune import prune as prune_builds  # noqa: PLC0415 - --help needs none
    from rootless.cli import table  # noqa: PLC0415
    from rootless.cli.pruned import BUILDS, confirmed, moment_alone  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    del everything
    until = moment_alone(filters or ())
    if not confirmed((BUILDS,), force=force):
        return
    store = Store.open(Paths.from_environment(), create=False)
    freed = prune_builds(store, lambda kept: until is None or kept < until)
    typer.echo(f"Total reclaimed space: {table.size(freed)}")
