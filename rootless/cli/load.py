"""`rootless load`: images out of OCI layouts and archives."""

from typing import Annotated

import typer

from rootless.cli import signature_options as signatures
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def load(  # noqa: PLR0917 - one parameter an option
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            show_default=False,
            help="An OCI layout folder, an OCI archive or a docker archive, plain or compressed; "
            "PATH:NAME takes one image of several; - or nothing is standard input.",
        ),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", "-i", metavar="FILE", help="The same as SOURCE.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option("--name", "-t", metavar="NAME", help="Name the image so.", show_default=False),
    ] = "",
    platform: Annotated[
        str,
        typer.Option(
            metavar="OS/ARCH[/VARIANT]",
            help="Which image of a multi-platform index; the host's by default.",
            show_default=False,
        ),
    ] = "",
    quiet: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--quiet", "-q", help="Show no progress.")
    ] = False,
    signature_policy: signatures.SignaturePolicy = "",
) -> None:
    """Load images from OCI layouts, OCI archives and docker archives.

    Each layer is kept as a plain tar with an index beside it; nothing is unpacked.
    """
    from rootless.cli.progress import shown  # noqa: PLC0415 - --help needs none of it
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.image.gc import sweep  # noqa: PLC0415
    from rootless.image.load import load as load_images  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.oci.image_index import parse_platform  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415
    from rootless.transfer.signatures import place_check  # noqa: PLC0415

    asked = {"signature_policy": signature_policy, "verify_key": ()}
    check = place_check(*signatures.policy_and_keys(asked))
    wanted = parse_platform(platform) if platform else None
    given = [*(inputs or ()), *(sources or ())] or ["-"]
    if name and len(given) > 1:
        raise InvalidInput("one name for several images", name, "load them one by one")
    store = Store.open(Paths.from_environment(), create=True)
    sweep(store)
    for source in given:
        with shown(quiet=quiet) as progress:
            loaded = load_images(
                store, source, name=name, platform=wanted, progress=progress, check=check
            )
        for image in loaded:
            for reference in image.references or (image.config_digest,):
                typer.echo(f"Loaded image: {reference}")
