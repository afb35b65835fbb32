"""`rootless push`: an image of the store to a registry."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from typing import Annotated

import typer

from rootless.cli import registry_options as registries
from rootless.cli.option_groups import GroupedCommand, flag, option

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_HOW = registries.HOW


@app.command(
    cls=GroupedCommand,
    options_metavar="[OPTIONS] IMAGE [DESTINATION]",
    epilog="""\b
Examples:
  rootless push registry.example/me/app:1             # an image of this name
  rootless push app registry.example/me/app:1
  rootless push --compression-format zstd app registry.example/me/app:1
  rootless push app oci-archive:app.tar               # the same as `rootless copy`""",
)
def push(  # noqa: PLR0917 - one parameter an option
    image: Annotated[str, typer.Argument(metavar="IMAGE", hidden=True)],
    destination: Annotated[str, typer.Argument(metavar="[DESTINATION]", hidden=True)] = "",
    compression_format: Annotated[
        str,
        option(
            "--compression-format",
            group=_HOW,
            metavar="NAME",
            help_="gzip, zstd, zstd:chunked, estargz or none; gzip where the registry has no layer "
            "of the image yet.",
        ),
    ] = "",
    compression_level: Annotated[
        int | None,
        option(
            "--compression-level",
            group=_HOW,
            metavar="N",
            help_="1 (fast) to 9 for gzip, to 19 for zstd; 3 by default.",
        ),
    ] = None,
    form: Annotated[
        str,
        option(
            "--format",
            "-f",
            group=_HOW,
            metavar="oci|v2s2",
            help_="A manifest of OCI's or of Docker's; as the image came by default, else OCI's.",
        ),
    ] = "",
    digest_file: Annotated[
        str,
        option(
            "--digestfile", group=_HOW, metavar="FILE", help_="Write the manifest's digest there."
        ),
    ] = "",
    quiet: Annotated[
        bool, flag("--quiet", "-q", group=_HOW, help_="Show no progress, print nothing.")
    ] = False,
    progress: registries.Progress = "auto",
    authfile: registries.AuthFile = "",
    cert_dir: registries.CertDir = "",
    creds: registries.Creds = "",
    tls_verify: registries.TLSVerify = "",
    retry: registries.Retry = "",
    retry_delay: registries.RetryDelay = "",
) -> None:
    """Send an image to a registry, and print its digest.

    What the registry has, under this name or another one, is not sent again. An image that came
    from a registry keeps its digest where its layers can be had there unchanged.
    """
    given = locals()
    from rootless.cli.transfers import shown  # noqa: PLC0415 - --help needs none of it
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415
    from rootless.transfer import push as transfer  # noqa: PLC0415
    from rootless.transfer.compression import chosen  # noqa: PLC0415
    from rootless.transfer.new_file import write_digest  # noqa: PLC0415
    from rootless.transfer.outgoing import parse_form  # noqa: PLC0415
    from rootless.transfer.places import REGISTRY  # noqa: PLC0415

    store = Store.open(Paths.from_environment(), create=False)
    place = transfer.place_for(store, image, destination)
    settings = None
    if place.transport == REGISTRY:
        settings = registries.settings_of(given, [place.path])
    options = transfer.Options(
        docker=parse_form(form),
        compression=chosen(compression_format, compression_level),
        destination=settings,
    )
    with shown(progress, quiet=quiet) as told:
        digest = transfer.push(store, image, place, options, told)
    if digest_file:
        write_digest(digest_file, digest)
    if not quiet:
        typer.echo(digest)
