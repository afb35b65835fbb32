"""`rootless pull`: images out of registries."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from typing import Annotated

import typer

from rootless.cli import registry_options as registries
from rootless.cli import signature_options as signatures
from rootless.cli.option_groups import GroupedCommand, flag, option

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_WHICH = "Which image"
_HOW = registries.HOW


@app.command(
    cls=GroupedCommand,
    options_metavar="[OPTIONS] IMAGE...",
    epilog="""\b
Examples:
  rootless pull docker.io/library/debian:12
  rootless pull debian                       # where registries.conf looks for short names
  rootless pull quay.io/org/app@sha256:…     # this very image
  rootless pull --platform linux/arm64 debian
  rootless pull oci-archive:debian.tar       # the same as `rootless load`""",
)
def pull(  # noqa: PLR0917 - one parameter an option
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", hidden=True)],
    all_tags: Annotated[
        bool, flag("--all-tags", "-a", group=_WHICH, help_="Every tag of the repository.")
    ] = False,
    platform: Annotated[
        str,
        option(
            "--platform",
            group=_WHICH,
            metavar="OS/ARCH[/VARIANT]",
            help_="Which image of a multi-platform index; the host's by default.",
        ),
    ] = "",
    os: Annotated[str, option("--os", group=_WHICH, metavar="OS", help_="The same in parts.")] = "",
    arch: Annotated[str, option("--arch", group=_WHICH, metavar="ARCH", help_="")] = "",
    variant: Annotated[str, option("--variant", group=_WHICH, metavar="VARIANT", help_="")] = "",
    policy: Annotated[
        str,
        option(
            "--policy",
            group=_HOW,
            metavar="always|missing|newer|never",
            help_="When to ask the registry; always by default.",
        ),
    ] = "always",
    lazy: Annotated[
        bool,
        flag("--lazy", group=_HOW, help_="Leave layers where they are until they are read."),
    ] = False,
    keep_compressed: Annotated[
        bool,
        flag(
            "--keep-compressed",
            group=_HOW,
            help_="Keep layers as they came too: `store compact` can leave the tars out then.",
        ),
    ] = False,
    quiet: Annotated[
        bool, flag("--quiet", "-q", group=_HOW, help_="Print the image ID alone.")
    ] = False,
    progress: registries.Progress = "auto",
    layers_at_once: Annotated[
        str,
        option(
            "--layers-at-once",
            group=_HOW,
            metavar="N",
            help_="How many layers to download at the same time; else 3.",
        ),
    ] = "",
    authfile: registries.AuthFile = "",
    cert_dir: registries.CertDir = "",
    creds: registries.Creds = "",
    tls_verify: registries.TLSVerify = "",
    retry: registries.Retry = "",
    retry_delay: registries.RetryDelay = "",
    verify_key: signatures.VerifyKey = None,
    signature_policy: signatures.SignaturePolicy = "",
) -> None:
    """Bring images from registries into the store, and print their IDs.

    A layer that is there is not downloaded again, and a download that was cut short goes on where
    it stopped.
    """
    given = locals()
    from rootless.cli.fetch import by_policy  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.transfers import shown  # noqa: PLC0415
    from rootless.image.gc import sweep  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.oci.digest import hex_of  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    store = Store.open(Paths.from_environment(), create=True)
    sweep(store)
    for image in images:
        with shown(progress, quiet=quiet) as told:
            found = by_policy(store, image, given, told)
        for _, config_digest in found:
            typer.echo(hex_of(config_digest))
