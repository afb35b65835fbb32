"""`rootless system`: what takes up room, and how to get some."""

from typing import Annotated, Any, ClassVar

import typer

from rootless.cli.command import Command
from rootless.cli.same_commands import SameCommands


class _System(SameCommands):
    same: ClassVar = {"info": "info"}


app = typer.Typer(
    cls=_System,
    rich_markup_mode=None,
    add_completion=False,
    help="Show what takes up room, and make some.",
)


@app.callback()
def _system() -> None:
    """Show what takes up room, and make some."""


@app.command(cls=Command)
def df(
    verbose: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--verbose", "-v", help="Show each image and container.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="table|json", help="How to print it.")
    ] = "table",
) -> None:
    """Show what images, containers, downloads and leftovers take up on the disk.

    What several images have in common counts once. Additional stores are not counted.
    """
    from rootless.cli import disk_usage  # noqa: PLC0415 - --help needs none of it
    from rootless.errors import InvalidInput  # noqa: PLC0415

    if form not in ("table", "json"):
        raise InvalidInput("no such format", form, "table or json")
    found = disk_usage.gather()
    if form == "json":
        import json  # noqa: PLC0415

        shown: Any = disk_usage.details(found) if verbose else disk_usage.summary(found)
        typer.echo(json.dumps(shown, indent=2))
        return
    for line in disk_usage.detail_lines(found) if verbose else disk_usage.lines(found):
        typer.echo(line)


@app.command(cls=Command)
def shutdown() -> None:
    """End what stays for a while to make the next start quick; containers that run go on.

    The next run starts it again, unless ROOTLESS_HOLDER=off or keep_alive = 0 in config.toml.
    """
    from rootless.holder.shutdown import shut_down  # noqa: PLC0415 - --help needs none of it
    from rootless.paths import Paths  # noqa: PLC0415

    shut_down(Paths.from_environment().runtime)


@app.command(cls=Command)
def prune(
    everything: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--all",
            "-a",
            help="Also images with a name that no container was made from, all downloads that were "
            "cut short, what was made of squashfs and SIF files, and what builds keep.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Do not ask.")] = False,  # noqa: FBT002
    filters: Annotated[
        list[str] | None,
        typer.Option(
            *("--filter",),
            metavar="KEY=VALUE",
            help="until=TIME or how long ago: only what was made before.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Remove containers that do not run, images without a name, and what nothing leads to."""
    from rootless.cli import pruning  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.pruned import BUILDS, confirmed, moment_alone  # noqa: PLC0415

    until = moment_alone(filters or ())
    which = "all images without a container" if everything else "all images without a name"
    cut_short = "all downloads that were cut short" if everything else "downloads a week old"
    builds = (BUILDS,) if everything else ()
    if not confirmed(("all containers that do not run", which, cut_short, *builds), force=force):
        return 0
    return pruning.prune_all(everything=everything, until=until)
