"""`rootless convert`: an image in another form."""

from typing import Annotated

import typer

from rootless.cli import registry_options as registries
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    cls=Command,
    epilog="""\b
Examples:
  rootless convert --to squashfs debian debian.sqfs
  rootless convert --to dir debian rootfs
  rootless convert --to zstd-chunked debian docker://registry.example/me/debian:1""",
)
def convert(  # noqa: PLR0917 - one parameter an option
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
    destination: Annotated[
        str,
        typer.Argument(
            metavar="DESTINATION",
            help="A path; for layers also docker://…, oci:DIR:NAME, oci-archive:FILE:NAME.",
            show_default=False,
        ),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORM",
            help="estargz, zstd-chunked (layers that can be fetched file by file), oci, "
            "oci-archive, docker-archive, squashfs or dir (a root file system folder).",
            show_default=False,
        ),
    ],
    compression_format: Annotated[
        str,
        typer.Option(
            "--compression-format",
            metavar="NAME",
            help="For oci and oci-archive gzip, zstd or none; for squashfs the program's.",
            show_default=False,
        ),
    ] = "",
    single: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--single-owner", help="For dir: all files are yours, no sub-IDs.")
    ] = False,
    authfile: registries.AuthFile = "",
    cert_dir: registries.CertDir = "",
    creds: registries.Creds = "",
    tls_verify: registries.TLSVerify = "",
    retry: registries.Retry = "",
    retry_delay: registries.RetryDelay = "",
    quiet: Annotated[  # noqa: FBT002
        bool, typer.Option("--quiet", "-q", help="Show no progress.")
    ] = False,
) -> None:
    """Write an image of the store in another form.

    The store keeps layers as plain tars; what is written in another form lies outside of it.
    """
    given = locals()
    from rootless.cli.exit import print_line  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.transfers import shown  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.image import names  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415
    from rootless.transfer import convert as forms  # noqa: PLC0415

    if form not in forms.FORMS:
        raise InvalidInput("no such form", form, f"one of {', '.join(forms.FORMS)}")
    store = Store.open(Paths.from_environment(), create=False)
    with shown("auto", quiet=quiet) as progress:
        if form == "squashfs":
            forms.convert_to_squashfs(store, image, destination, compression_format, progress)
        elif form == "dir":
            from rootless.containers.root_folder import write_root_folder  # noqa: PLC0415
            from rootless.transfer.progress import State  # noqa: PLC0415
            from rootless.userns.maps import MapRequest, choose_maps  # noqa: PLC0415
            from rootless.userns.subid import Caller  # noqa: PLC0415

            maps = choose_maps(MapRequest("single" if single else ""), Caller.current())
            meter = progress.begin("unpack", None)
            meter.enter(State.DOWNLOADING)
            found = names.resolve(store, image)
            for text in write_root_folder(store, found, destination, maps, meter.advance):
                print_line(text)
        else:
            from rootless.transfer.compression import chosen  # noqa: PLC0415
            from rootless.transfer.copy import Options  # noqa: PLC0415
            from rootless.transfer.places import REGISTRY  # noqa: PLC0415

            place = forms.place_for(form, destination)
            settings = None
            if place.transport == REGISTRY:
                settings = registries.settings_of(given, [place.path])
            options = Options(compression=chosen(compression_format), destination=settings)
            forms.convert_layers(store, image, form, place, options, progress)
