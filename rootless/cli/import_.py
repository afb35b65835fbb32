"""`rootless import`: an image out of a root file system."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_Words = list[str]


def _option(*names: str, metavar: str, help_: str) -> object:
    return typer.Option(*names, metavar=metavar, help=help_, show_default=False)


@app.command(
    cls=Command,
    epilog="Examples: rootless import --cmd /bin/sh rootfs.tar.gz my-image; "
    "tar -C rootfs -c . | rootless import - my-image; rootless import rootfs/ my-image",
)
def import_(  # noqa: PLR0917 - one parameter an option
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            show_default=False,
            help="A folder, or a tar, plain or compressed; - is standard input.",
        ),
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the image.", show_default=False)
    ] = "",
    env: Annotated[
        _Words | None, _option("--env", "-e", metavar="NAME=VALUE", help_="A variable.")
    ] = None,
    entrypoint: Annotated[
        str, _option("--entrypoint", metavar="CMD", help_="What to run; words or a JSON array.")
    ] = "",
    cmd: Annotated[
        str, _option("--cmd", metavar="CMD", help_="Command when none is given, in the same form.")
    ] = "",
    workdir: Annotated[
        str, _option("--workdir", "-w", metavar="DIR", help_="Working directory.")
    ] = "",
    user: Annotated[
        str, _option("--user", "-u", metavar="USER[:GROUP]", help_="Who runs the command.")
    ] = "",
    label: Annotated[
        _Words | None, _option("--label", "-l", metavar="NAME=VALUE", help_="A label.")
    ] = None,
    message: Annotated[
        str, _option("--message", "-m", metavar="TEXT", help_="Comment for the image's history.")
    ] = "",
    quiet: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--quiet", "-q", help="Show no progress.")
    ] = False,
) -> None:
    """Make an image of a root file system: a folder or a tar of one.

    In a folder's image, what belongs to you belongs to root. Without --cmd and --entrypoint the
    image names no command: `rootless run` then needs one.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - --help needs none of it

    from rootless.bundle.parse import words  # noqa: PLC0415
    from rootless.cli.exit import print_line  # noqa: PLC0415
    from rootless.cli.progress import shown  # noqa: PLC0415
    from rootless.image.gc import sweep  # noqa: PLC0415
    from rootless.image.import_rootfs import Settings, import_rootfs  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    settings = Settings(
        env=tuple(env or ()),
        entrypoint=words(entrypoint, "--entrypoint"),
        cmd=words(cmd, "--cmd"),
        working_dir=workdir,
        user=user,
        labels={key: value for key, _, value in (text.partition("=") for text in label or ())},
        message=message,
    )
    store = Store.open(Paths.from_environment(), create=True)
    sweep(store)
    with shown(quiet=quiet) as progress:
        image = import_rootfs(
            store,
            source,
            created=datetime.now(UTC),
            name=name,
            settings=settings,
            progress=progress,
        )
    for text in image.left_out:
        print_line(f"left out: {text}")
    typer.echo(f"Imported image: {image.reference or image.config_digest}")
