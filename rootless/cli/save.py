"""`rootless save`: images into an archive or a folder."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    cls=Command,
    epilog="""\b
Examples:
  rootless save -o debian.tar debian
  rootless save debian | podman load
  rootless save --format oci-archive -o two.tar debian alpine""",
)
def save(  # noqa: PLR0917 - one parameter an option
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Names or IDs.", show_default=False)
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to; standard output by default. A file is replaced.",
            show_default=False,
        ),
    ] = "",
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="docker-archive, oci-archive, oci-dir (an OCI layout, which may be there) or "
            "docker-dir (skopeo's `dir:`).",
        ),
    ] = "docker-archive",
    compression_format: Annotated[
        str,
        typer.Option(
            "--compression-format",
            metavar="NAME",
            help="gzip, zstd or none, for the layers in OCI's formats and docker-dir; a layer "
            "that came as it is stays so by default.",
            show_default=False,
        ),
    ] = "",
    compression_level: Annotated[
        int | None,
        typer.Option(
            "--compression-level",
            metavar="N",
            help="1 (fast) to 9 for gzip, to 19 for zstd; 3 by default.",
            show_default=False,
        ),
    ] = None,
    uncompressed: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--uncompressed", help="The same as --compression-format none.")
    ] = False,
    multi: Annotated[  # noqa: FBT002
        bool, typer.Option("--multi-image-archive", "-m", hidden=True)
    ] = False,
    quiet: Annotated[  # noqa: FBT002
        bool, typer.Option("--quiet", "-q", help="Show no progress.")
    ] = False,
) -> None:
    """Write images into a file or a folder, which `rootless load` and other tools read.

    The image ID stays the same. A file or a new folder is there once it is complete.
    """
    from rootless.cli.transfers import shown  # noqa: PLC0415 - --help needs none of it
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415
    from rootless.transfer.compression import chosen  # noqa: PLC0415
    from rootless.transfer.save import save as save_images  # noqa: PLC0415

    del multi  # podman needs it; here several images always may be named
    compression = chosen("none" if uncompressed else compression_format, compression_level)
    store = Store.open(Paths.from_environment(), create=False)
    with shown("auto", quiet=quiet) as progress:
        save_images(store, images, output, form=form, compression=compression, progress=progress)
