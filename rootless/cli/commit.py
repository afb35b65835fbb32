"""`rootless commit`: an image out of a container."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rootless.cli.command import Command

if TYPE_CHECKING:
    from datetime import datetime

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    cls=Command,
    epilog="Example: rootless commit -m 'with gcc' -c 'CMD [\"bash\"]' dev debian-gcc",
)
def commit(  # noqa: PLR0917 - one parameter an option
    container: Annotated[
        str, typer.Argument(metavar="CONTAINER", help="Name or ID.", show_default=False)
    ],
    name: Annotated[
        str, typer.Argument(metavar="IMAGE", help="Name of the image.", show_default=False)
    ] = "",
    message: Annotated[
        str,
        typer.Option(
            "--message",
            "-m",
            metavar="TEXT",
            help="Comment for the image's history.",
            show_default=False,
        ),
    ] = "",
    author: Annotated[
        str,
        typer.Option(
            "--author", "-a", metavar="TEXT", help="Who made the image.", show_default=False
        ),
    ] = "",
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--change",
            "-c",
            metavar="INSTRUCTION",
            help="A line of a Containerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, "
            "STOPSIGNAL, USER, VOLUME or WORKDIR.",
            show_default=False,
        ),
    ] = None,
    pause: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option("--pause/--no-pause", "-p", help="Freeze a running container meanwhile."),
    ] = False,
    form: Annotated[
        str, typer.Option("--format", "-f", metavar="oci", help="The only one there is.")
    ] = "oci",
    squash: Annotated[  # noqa: FBT002
        bool, typer.Option("--squash", "-s", help="Make one layer of everything.")
    ] = False,
    iidfile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the image's ID there.", show_default=False),
    ] = None,
    epoch: Annotated[
        int | None,
        typer.Option(
            "--source-date-epoch",
            metavar="SECONDS",
            envvar="SOURCE_DATE_EPOCH",
            help="The time of the image, and the latest of its files: the same bytes each time.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[  # noqa: FBT002
        bool, typer.Option("--quiet", "-q", help="Show no progress.")
    ] = False,
) -> None:
    """Make an image of what a container has become, and print its ID.

    What the container changed becomes one more layer over those of its image. The command,
    variables and working directory that it was run with are the image's.
    """
    from rootless.cli import id_file  # noqa: PLC0415
    from rootless.cli.progress import shown  # noqa: PLC0415 - --help needs none of it
    from rootless.containers import commit, located, record, status  # noqa: PLC0415
    from rootless.containers.pause import paused  # noqa: PLC0415
    from rootless.containers.root_files import root_files  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.image.gc import sweep  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.oci.digest import hex_of  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    if form != "oci":
        raise InvalidInput("no such format", form, "images are kept as OCI has them: oci")
    id_path = "" if iidfile is None else str(iidfile)
    id_file.check(id_path)
    latest = None if epoch is None else _time(epoch)
    paths = Paths.from_environment()
    found = record.find(paths, container)
    store = Store.open(paths, create=True)
    sweep(store)
    image = located.image_of(store, found)
    request = commit.CommitRequest(
        created=latest or _now(),
        name=name,
        message=message,
        author=author,
        created_by=commit.words_of(found),
        changes=tuple(change or ()),
        process=commit.as_run(image, found),
        latest=latest,
        squash=squash,
    )
    files = root_files(paths, found)
    live = status.look(paths, found).live
    pid = live.init.pid if live is not None and live.init is not None else 0
    with paused(pid, wanted=pause), shown(quiet=quiet) as progress:
        made = commit.commit(store, image, files, request, progress)
    id_file.write(id_path, made.config_digest)
    typer.echo(hex_of(made.config_digest))


def _now() -> "datetime":
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.now(UTC)


def _time(seconds: int) -> "datetime":
    from datetime import UTC, datetime  # noqa: PLC0415

    from rootless.errors import InvalidInput  # noqa: PLC0415

    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidInput("not a time", str(seconds), "seconds since 1970") from error
