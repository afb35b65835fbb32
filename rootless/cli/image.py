"""`rootless image`: the commands for images once more, as podman groups them, and `prune`."""

from typing import Annotated, ClassVar

import typer

from rootless.cli.command import Command
from rootless.cli.same_commands import SameCommands


class _Images(SameCommands):
    same: ClassVar = {
        "build": "build",
        "diff": "diff",
        "history": "history",
        "import": "import",
        "inspect": "inspect",
        "load": "load",
        "ls": "images",
        "mount": "mount",
        "pull": "pull",
        "push": "push",
        "rm": "rmi",
        "save": "save",
        "tag": "tag",
        "tree": "tree",
        "umount": "umount",
    }


app = typer.Typer(cls=_Images, rich_markup_mode=None, add_completion=False)


@app.callback()
def _image() -> None:
    """Work with images: `rootless image ls` is `rootless images`."""


@app.command(cls=Command)
def prune(
    everything: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option("--all", "-a", help="Also those with a name that no container was made from."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Do not ask.")] = False,  # noqa: FBT002
    build_cache: Annotated[  # noqa: FBT002
        bool, typer.Option("--build-cache", help="Also what builds keep for the next one.")
    ] = False,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            *("--filter",),
            metavar="KEY=VALUE",
            help="until=TIME or how long ago; label=KEY[=VALUE], label!=KEY[=VALUE].",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Remove images that have lost their name, and print their IDs."""
    from rootless.cli.pruned import (  # noqa: PLC0415 - --help needs none of it
        BUILDS,
        confirmed,
        in_use,
        wanted_images,
    )
    from rootless.image import gc  # noqa: PLC0415
    from rootless.image.prune import prune as prune_images  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    wanted = wanted_images(filters or ())
    which = "all images without a container" if everything else "all images without a name"
    also = (BUILDS,) if build_cache else ()
    if not confirmed((which, *also), force=force):
        return
    paths = Paths.from_environment()
    store = Store.open(paths, create=True)
    if build_cache:
        from rootless.build.prune import forget  # noqa: PLC0415 - asked for

        forget(store)
    removed = prune_images(store, in_use(paths), everything=everything, wanted=wanted)
    gc.sweep(store)
    for digest in removed.deleted:
        typer.echo(digest.partition(":")[2])
