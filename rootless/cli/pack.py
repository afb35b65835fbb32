"""`rootless pack`: an image as one file that runs in place."""

from pathlib import Path
from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def pack(  # noqa: PLR0917 - one parameter an option
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)
    ] = "",
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="What to write.", show_default=False)
    ] = None,
    compress: Annotated[
        str,
        typer.Option(
            metavar="none|zstd[:LEVEL]",
            help="Compress the contents: smaller, and decoded as they are read.",
        ),
    ] = "none",
    executable: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option("--executable", "-x", help="Make a program of it: ./FILE ARGUMENT…"),
    ] = False,
    force: Annotated[  # noqa: FBT002
        bool, typer.Option("--force", "-f", help="Replace a file of that name.")
    ] = False,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify",
            metavar="FILE",
            help="Write nothing: check every byte of a pack.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[  # noqa: FBT002
        bool, typer.Option("--quiet", "-q", help="Show no progress.")
    ] = False,
) -> None:
    """Write an image into one file: `rootless run ./FILE` runs it where it lies.

    It needs no store and no unpacking, can be copied, and is never written to: any number of nodes
    may use one on a shared file system. `rootless load FILE` brings the image into a store.
    """
    from rootless.cli.progress import shown  # noqa: PLC0415 - --help needs none of it
    from rootless.containers.lazy_layers import complete_image  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.image import pack as packs  # noqa: PLC0415
    from rootless.image.meant import resolve  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    if verify is not None:
        if image or file:
            raise InvalidInput("--verify takes one file", image, "it writes nothing")
        from rootless.image.pack_verify import verify as check  # noqa: PLC0415

        with shown(quiet=quiet) as progress:
            check(str(verify), progress)
        typer.echo(f"{verify}: OK")
        return
    if file is None:
        raise InvalidInput("an image and a file are needed", image, "rootless pack IMAGE FILE")
    store = Store.open(Paths.from_environment(), create=False)
    level = packs.parse_compression(compress)
    request = packs.PackRequest(compress=level, is_program=executable, replaces=force)
    complete_image(store, resolve(store, image))
    with shown(quiet=quiet) as progress:
        packs.pack(store, resolve(store, image), file, request, progress)
