"""`rootless mount`: an image as a folder to look into."""

from pathlib import Path
from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def mount(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="An empty folder.", show_default=False)
    ],
    foreground: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option("--foreground", help="Stay until the folder is unmounted; Ctrl-C unmounts."),
    ] = False,
) -> None:
    """Show a merged image at a folder, read-only, to you alone.

    Nothing is unpacked, so it takes as long for 100 files as for 100,000. End it with
    `rootless umount DIR`.
    """
    from rootless.containers.lazy_layers import complete_image  # noqa: PLC0415 - not for --help
    from rootless.image import meant, trees  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.overlay.folder import mount_folder  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    paths = Paths.from_environment()
    store = Store.open(paths, create=False)
    found = meant.resolve(store, image)
    complete_image(store, found)
    place = trees.place_of(store, found)
    mount_folder(
        place.tree,
        place.layers,
        folder,
        name=found.reference or image,
        log=paths.runtime / "mount.log",
        foreground=foreground,
    )
