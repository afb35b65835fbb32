"""`rootless export`: a container's file system as a tar."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    cls=Command,
    epilog="Examples: rootless export -o dev.tar dev; rootless export dev | tar -t",
)
def export(
    container: Annotated[
        str, typer.Argument(metavar="CONTAINER", help="Name or ID.", show_default=False)
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to; standard output by default.",
            show_default=False,
        ),
    ] = "",
    quiet: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--quiet", "-q", help="Show no progress.")
    ] = False,
) -> None:
    """Write all files of a container as one tar: those of its image and what it changed.

    Volumes and other mounts are not in it. `rootless import` makes an image of such a tar.
    """
    import sys  # noqa: PLC0415 - --help needs none of it

    from rootless.cli.progress import shown  # noqa: PLC0415
    from rootless.containers import export, record  # noqa: PLC0415
    from rootless.containers.root_files import root_files  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    if not output and sys.stdout.isatty():
        fix = "redirect standard output, or name a file with -o"
        raise InvalidInput("no tar is written to a terminal", "standard output", fix)
    paths = Paths.from_environment()
    found = record.find(paths, container)
    files = root_files(paths, found)
    with export.opened(output) as fd, shown(quiet=quiet) as progress:
        if progress is not None:
            progress.layer("export", None)
        advance = progress.advance if progress is not None else _ignore
        export.export(files, fd, output or "standard output", advance)


def _ignore(n: int) -> None:
    del n
