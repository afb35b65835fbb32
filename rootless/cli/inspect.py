"""`rootless inspect`: an image's manifest and config."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rootless.cli.command import Command

if TYPE_CHECKING:
    from rootless.image.names import Image
    from rootless.image.store import Store

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def inspect(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Names or IDs.", show_default=False)
    ],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="PATH",
            help="Print one value only: .Config.Env, .Id, .LayersData.0.Size",
            show_default=False,
        ),
    ] = "",
    raw: Annotated[
        str,
        typer.Option(
            metavar="DOCUMENT",
            help="Print a document byte for byte: config, manifest (as it came), or stored.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Show images as JSON, as `podman image inspect` does."""
    from rootless.image import describe, names  # noqa: PLC0415 - --help needs none of it
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    store = Store.open(Paths.from_environment(), create=False)
    found = [names.resolve(store, image) for image in images]
    if raw:
        for image in found:
            typer.echo(_document(store, image, raw), nl=False)
        return
    all_names: dict[str, list[str]] = {}
    for entry in names.entries(store):
        if entry.reference:
            all_names.setdefault(entry.manifest_digest, []).append(entry.reference)
    shown = [
        describe.details(image, tuple(all_names.get(image.manifest_digest, ()))) for image in found
    ]
    if form:
        for value in shown:
            typer.echo(_text(_value(value, form)))
    else:
        typer.echo(json.dumps(shown, indent=4, ensure_ascii=False))


def _document(store: "Store", image: "Image", name: str) -> bytes:
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.oci.document import MAX_CONFIG_BYTES  # noqa: PLC0415

    digests = {
        "config": image.config_digest,
        "manifest": image.source_digest or image.manifest_digest,
        "stored": image.manifest_digest,
    }
    if name not in digests:
        raise InvalidInput("no such document", name, "one of " + ", ".join(digests))
    return store.read_blob(digests[name], MAX_CONFIG_BYTES)


def _value(value: Any, path: str) -> Any:
    """Return what a dotted path leads to; `{{.Id}}` is taken for `.Id`, and so is `Id`."""
    from rootless.errors import InvalidInput  # noqa: PLC0415

    names = path.strip().removeprefix("{{").removesuffix("}}").strip().strip(".")
    for name in names.split(".") if names else ():
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isascii() and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            known = ", ".join(value) if isinstance(value, dict) else "none"
            raise InvalidInput("no such value", path, f"at {name}; there are: {known}")
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
