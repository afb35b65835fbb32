"""`rootless diff`: what a container changed of its image."""

import sys
from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def diff(
    container: Annotated[
        str, typer.Argument(metavar="CONTAINER", help="Name or ID.", show_default=False)
    ],
    form: Annotated[
        str, typer.Option("--format", metavar="table|json", help="How to print it.")
    ] = "table",
) -> None:
    """List files that a container added (A), changed (C) and deleted (D).

    What a deleted folder held goes without saying, and so do the places of mounts.
    """
    from rootless.containers import diff, record  # noqa: PLC0415 - --help needs none of it
    from rootless.containers.root_files import root_files  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    if form not in ("table", "json"):
        raise InvalidInput("no such format", form, "table or json")
    paths = Paths.from_environment()
    found = record.find(paths, container)
    given = {mount.destination for mount in found.container.spec.mounts} | diff.MADE_FOR_MOUNTS
    changes = diff.changes(root_files(paths, found), given)
    if form == "json":
        typer.echo(diff.to_json(changes))
        return
    is_terminal = sys.stdout.isatty()
    for change in changes:
        path = change.path.decode("utf-8", "backslashreplace" if is_terminal else "surrogateescape")
        if is_terminal:  # a container chooses its names
            path = "".join(c if c.isprintable() else repr(c)[1:-1] for c in path)
        sys.stdout.buffer.write(f"{change.kind} {path}\n".encode("utf-8", "surrogateescape"))
    sys.stdout.flush()
