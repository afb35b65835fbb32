"""`rootless copy`: images between registries, archives, folders and the store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rootless.cli import registry_options as registries
from rootless.cli import signature_options as signatures
from rootless.cli.option_groups import GroupedCommand, flag, option

if TYPE_CHECKING:
    from rootless.registry.settings import Settings
    from rootless.transfer.places import Place

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_WHAT = "What is copied"
_SOURCE = "The source's registry"
_DESTINATION = "The destination's registry"
_OTHER = "Other options"
_AUTH_FILE = "Where credentials are."
_CERT_DIR = "Certificates: *.crt to trust, *.cert with *.key to show."
_CREDS = "Who you are there."
_TLS = "Insist on HTTPS with a good certificate."


@app.command(
    cls=GroupedCommand,
    options_metavar="[OPTIONS] SOURCE DESTINATION",
    epilog="""\b
SOURCE and DESTINATION are docker://REFERENCE, oci:DIR[:NAME],
oci-archive:FILE[:NAME], docker-archive:FILE[:NAME], dir:DIR, or a NAME of the
store.

\b
Examples:
  rootless copy --all docker://quay.io/a/b:1 docker://registry.example/b:1
  rootless copy docker://quay.io/a/b:1 oci:layout:b
  rootless copy debian docker-archive:d.tar""",
)
def copy(  # noqa: PLR0917 - one parameter an option
    source: Annotated[str, typer.Argument(metavar="SOURCE", hidden=True)],
    destination: Annotated[str, typer.Argument(metavar="DESTINATION", hidden=True)],
    whole: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, flag("--all", "-a", group=_WHAT, help_="An index with all its images, as it is.")
    ] = False,
    platform: Annotated[
        str,
        option(
            "--platform",
            group=_WHAT,
            metavar="OS/ARCH[/VARIANT]",
            help_="Which image of an index; the host's by default.",
        ),
    ] = "",
    form: Annotated[
        str,
        option(
            "--format",
            "-f",
            group=_WHAT,
            metavar="oci|v2s2",
            help_="Turn the manifest into OCI's or Docker's; as it is by default.",
        ),
    ] = "",
    compression_format: Annotated[
        str,
        option(
            "--dest-compress-format",
            group=_WHAT,
            metavar="gzip|zstd|none",
            help_="For layers that are plain tars: the store's, a docker archive's.",
        ),
    ] = "",
    compression_level: Annotated[
        int | None,
        option("--dest-compress-level", group=_WHAT, metavar="N", help_="1 is fast."),
    ] = None,
    digest_file: Annotated[
        str,
        option(
            "--digestfile",
            group=_OTHER,
            metavar="FILE",
            help_="Write the digest of the copy's manifest there.",
        ),
    ] = "",
    src_authfile: Annotated[
        str, option("--src-authfile", group=_SOURCE, metavar="FILE", help_=_AUTH_FILE)
    ] = "",
    src_cert_dir: Annotated[
        str, option("--src-cert-dir", group=_SOURCE, metavar="DIR", help_=_CERT_DIR)
    ] = "",
    src_creds: Annotated[
        str, option("--src-creds", group=_SOURCE, metavar="USER[:PASSWORD]", help_=_CREDS)
    ] = "",
    src_tls_verify: Annotated[
        str, option("--src-tls-verify", group=_SOURCE, metavar="true|false", help_=_TLS)
    ] = "",
    dest_authfile: Annotated[
        str, option("--dest-authfile", group=_DESTINATION, metavar="FILE", help_=_AUTH_FILE)
    ] = "",
    dest_cert_dir: Annotated[
        str, option("--dest-cert-dir", group=_DESTINATION, metavar="DIR", help_=_CERT_DIR)
    ] = "",
    dest_creds: Annotated[
        str, option("--dest-creds", group=_DESTINATION, metavar="USER[:PASSWORD]", help_=_CREDS)
    ] = "",
    dest_tls_verify: Annotated[
        str, option("--dest-tls-verify", group=_DESTINATION, metavar="true|false", help_=_TLS)
    ] = "",
    authfile: Annotated[
        str, option("--authfile", group=_OTHER, metavar="FILE", help_="The same for both sides.")
    ] = "",
    retry: registries.Retry = "",
    verify_key: signatures.VerifyKey = None,
    signature_policy: signatures.SignaturePolicy = "",
    quiet: Annotated[  # noqa: FBT002
        bool, flag("--quiet", "-q", group=_OTHER, help_="Show no progress.")
    ] = False,
) -> None:
    """Copy an image, or a whole index, from one place to another.

    What has a manifest is copied byte for byte and keeps its digest. The store takes no part
    unless it is named.
    """
    given = locals()
    from rootless.cli.transfers import shown  # noqa: PLC0415 - --help needs none of it
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.oci.image_index import parse_platform  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415
    from rootless.transfer import copy as transfer  # noqa: PLC0415
    from rootless.transfer.compression import chosen  # noqa: PLC0415
    from rootless.transfer.new_file import write_digest  # noqa: PLC0415
    from rootless.transfer.outgoing import parse_form  # noqa: PLC0415
    from rootless.transfer.places import STORE, parse_place  # noqa: PLC0415
    from rootless.transfer.signatures import offer_check, place_check  # noqa: PLC0415

    places = parse_place(source), parse_place(destination)
    if verify_key and places[0].transport == STORE:
        fix = "signatures are kept in registries: copy it from one"
        raise InvalidInput("image has no signature to be verified", source, fix)
    required = signatures.policy_and_keys(given)
    options = transfer.Options(
        platform=parse_platform(platform) if platform else None,
        whole=whole,
        docker=parse_form(form),
        compression=chosen(compression_format, compression_level),
        source=_settings(given, "src", places[0]),
        destination=_settings(given, "dest", places[1]),
        check_offer=offer_check(*required),
        check_place=place_check(*required),
    )
    store = Store.open(Paths.from_environment(), create=places[1].transport == STORE)
    with shown("auto", quiet=quiet) as progress:
        digest = transfer.copy(store, *places, options, progress)
    if digest_file:
        write_digest(digest_file, digest)


def _settings(given: Mapping[str, Any], side: str, place: "Place") -> "Settings | None":
    """Return what the options say of one side's registry; None where it is none."""
    from rootless.transfer.places import REGISTRY  # noqa: PLC0415

    if place.transport != REGISTRY:
        return None
    names = ("cert_dir", "creds", "tls_verify")
    values = {name: given[f"{side}_{name}"] for name in names}
    values["authfile"] = given[f"{side}_authfile"] or given["authfile"]
    values |= {"retry": given["retry"], "retry_delay": ""}
    return registries.settings_of(values, [place.path])
