"""`rootless cp`: files between a container and the host."""

from typing import TYPE_CHECKING, Annotated

import typer

from rootless.cli.command import Command

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rootless.containers.cp import ContainerSide
    from rootless.paths import Paths

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_PLACE = "[CONTAINER:]PATH"


@app.command(
    cls=Command,
    epilog="Examples: rootless cp dev:/etc/os-release .; rootless cp src/. dev:/work; "
    "tar -c . | rootless cp - dev:/work; rootless cp dev:/var/log - | tar -t",
)
def cp(
    source: Annotated[
        str, typer.Argument(metavar=_PLACE, help="What to copy; - is a tar.", show_default=False)
    ],
    destination: Annotated[
        str,
        typer.Argument(metavar=_PLACE, help="Where to; - writes a tar.", show_default=False),
    ],
    archive: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool,
        typer.Option(
            "--archive/--no-archive",
            "-a",
            help="What comes into a container belongs to its user; else owners are kept.",
        ),
    ] = True,
    overwrite: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--overwrite", help="Let a folder take a file's place, and a file a folder's."
        ),
    ] = False,
) -> None:
    """Copy files or folders between a container, running or not, and the host.

    As cp -r has it: into a folder that is there, else under the name given; a SOURCE that ends in
    /. means what the folder holds. A path in a container begins at its root.
    """
    from rootless.cli.exit import print_line  # noqa: PLC0415 - --help needs none of it
    from rootless.containers import cp as copy  # noqa: PLC0415
    from rootless.containers.copy_paths import parse_place  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    paths = Paths.from_environment()
    one, other = parse_place(source), parse_place(destination)
    options = copy.Options(chown=archive, overwrite=overwrite)
    if one.container and other.container:
        with _side(paths, one.container) as first, _side(paths, other.container) as second:
            left_out = copy.between(first, one.path, second, other.path, options)
    elif one.container:
        with _side(paths, one.container) as side:
            if other.is_stream:
                left_out = copy.to_stream(side, one.path)
            else:
                left_out = copy.to_host(side, one.path, other.path, options)
    elif other.container:
        with _side(paths, other.container) as side:
            if one.is_stream:
                left_out = copy.from_stream(side, other.path, options)
            else:
                left_out = copy.to_container(one.path, side, other.path, options)
    else:
        raise InvalidInput("neither path is a container's", f"{source} {destination}", _PLACE)
    for text in left_out:
        print_line(f"left out: {text}")


def _side(paths: "Paths", container: str) -> "AbstractContextManager[ContainerSide]":
    from rootless.containers import record, status  # noqa: PLC0415
    from rootless.containers.copy_sides import side_of  # noqa: PLC0415

    found = record.find(paths, container)
    return side_of(paths, found, status.look(paths, found))
