"""`rootless umount`: the end of what `rootless mount` began."""

from pathlib import Path
from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def umount(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", help="Folders given to `rootless mount`."),
    ],
    lazy: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option("--lazy", "-l", help="Out of sight now, away when nobody is in it any more."),
    ] = False,
) -> None:
    """Unmount images; the process that served each ends with it."""
    from rootless.overlay.folder import unmount_folder  # noqa: PLC0415 - --help needs none of it

    for folder in folders:
        unmount_folder(folder, lazy=lazy)
