"""`rootless store`: the store as a whole."""

from typing import TYPE_CHECKING, Annotated

import typer

from rootless.cli.command import Command
from rootless.cli.compact import compact
from rootless.cli.group import Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootless.image.names import Entry
    from rootless.image.verify import Report

_PATIENCE_S = 3.0

app = typer.Typer(
    cls=Group, rich_markup_mode=None, add_completion=False, help="Check the store, and clean it."
)


@app.callback()
def _store() -> None:
    """Check the store, and clean it."""


@app.command(cls=Command)
def verify(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IMAGE", help="Names or IDs; everything by default.", show_default=False
        ),
    ] = None,
    repair: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option(
            "--repair",
            help="Make indexes and trees again; fetch layers and documents again from where the "
            "image came.",
        ),
    ] = False,
    quick: Annotated[  # noqa: FBT002
        bool, typer.Option("--quick", help="Sizes and formats only: read no contents.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="text|json", help="How to print it.")
    ] = "text",
    quiet: Annotated[  # noqa: FBT002
        bool, typer.Option("--quiet", "-q", help="Show no progress, and nothing but faults.")
    ] = False,
) -> int:
    """Check every document, layer, index and tree in the store beside what it must be.

    The exit status is 0 where all is well or has been put right, 1 where something is damaged, 125
    where the check itself failed.
    """
    from rootless.cli.progress import shown  # noqa: PLC0415 - --help needs none of it
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.image.gc import sweep  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.image.verify import VerifyOptions  # noqa: PLC0415
    from rootless.image.verify import verify as check  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    if form not in ("text", "json"):
        raise InvalidInput("no such format", form, "text or json")
    store = Store.open(Paths.from_environment(), create=repair)
    if repair:
        sweep(store)

    def fetch(entries: "Sequence[Entry]") -> None:
        from rootless.cli.refetch import refetch  # noqa: PLC0415 - only where something is lost
        from rootless.cli.transfers import shown as transfer_shown  # noqa: PLC0415

        with transfer_shown("auto", quiet=quiet) as told:
            refetch(store, entries, told)

    options = VerifyOptions(quick=quick, repair=repair, fetch=fetch if repair else None)
    with shown(quiet=quiet) as progress:
        report = check(store, images or (), options, progress)
    if form == "json":
        _print_json(report)
    else:
        _print_text(report, quiet=quiet)
    return 1 if report.left else 0


def _print_text(report: "Report", *, quiet: bool) -> None:
    for fault in report.faults:
        typer.echo(str(fault))
    if quiet:
        return
    checked = f"{report.documents} documents, {report.layers} layers, {report.trees} trees"
    repaired = len(report.faults) - len(report.left)
    result = f"{len(report.left)} damaged" if report.left else "all is well"
    typer.echo(f"{checked}: {result}" + (f", {repaired} repaired" if repaired else ""))
    if report.leftovers:
        typer.echo(f"{report.leftovers} files that nothing leads to: 'rootless store gc'")


def _print_json(report: "Report") -> None:
    import json  # noqa: PLC0415
    from dataclasses import asdict  # noqa: PLC0415

    typer.echo(json.dumps(asdict(report), indent=2))


app.command(cls=Command)(compact)


@app.command(cls=Command)
def gc(
    dry_run: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--dry-run", help="Only list what would be removed.")
    ] = False,
) -> None:
    """Remove what nothing leads to: leftovers of killed commands, and objects of removed images.

    Other commands do so as they go; it is here for a full disk. Images and containers stay, and so
    does what a command that is at work may still need.
    """
    from rootless.cli import table  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.exit import print_line  # noqa: PLC0415
    from rootless.image import gc as collection  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    store = Store.open(Paths.from_environment(), create=False)
    if dry_run:
        for path in sorted(collection.unneeded(store)):
            typer.echo(path)
        return
    removed = collection.sweep(store)
    freed = collection.collect(store, _PATIENCE_S)
    typer.echo(f"Removed {removed} leftover files; freed {table.size(freed)}")
    if collection.is_due(store):
        print_line("a load or a pull is at work: whoever comes next collects the rest")


@app.command(cls=Command)
def share(
    private: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--private", help="The other way round: only you may read it.")
    ] = False,
) -> None:
    """Let everybody on the machine, or on the cluster, read the images of your store.

    They name it by --store, ROOTLESS_ADDITIONAL_STORES or additional_stores in config.toml.
    Containers and what they write stay yours alone.
    """
    from rootless.image import share as sharing  # noqa: PLC0415 - --help needs none of it
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    store = Store.open(Paths.from_environment(), create=True)
    if private:
        sharing.unshare(store)
        return
    for name in sharing.share(store):
        typer.echo(f"Shared: {name}")
