"""`rootless inspect`: an image's manifest and config, a container's state and settings."""

import json
from typing import Annotated, Any

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def inspect(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME", help="Names or IDs.", show_default=False)
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
    kind: Annotated[
        str,
        typer.Option(
            "--type", metavar="image|container", help="What is meant.", show_default=False
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
    """Show containers and images as JSON, as `podman inspect` does.

    A name that both have is the container's; --type says which is meant.
    """
    from rootless.cli import inspected  # noqa: PLC0415 - --help needs none of it
    from rootless.errors import InvalidInput  # noqa: PLC0415

    if kind not in ("", "image", "container"):
        raise InvalidInput("no such type", kind, "image or container")
    if raw:
        for name in names:
            typer.echo(inspected.document(name, raw), nl=False)
        return
    shown = [inspected.details(name, kind) for name in names]
    if form:
        for value in shown:
            typer.echo(_text(_value(value, form)))
    else:
        typer.echo(json.dumps(shown, indent=4, ensure_ascii=False))


def _value(value: Any, path: str) -> Any:
    """Return what a dotted path leads to; `{{.Id}}` is taken for `.Id`, and so is `Id`."""
    from rootless.errors import InvalidInput  # noqa: PLC0415

    words = path.strip().removeprefix("{{").removesuffix("}}").strip().strip(".")
    for name in words.split(".") if words else ():
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
