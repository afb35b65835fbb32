"""`rootless inspect`: an image's manifest and config, a container's state and settings."""

import json
from typing import Annotated, Any

import typer

from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def inspect(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names or IDs.", show_default=False)
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="PATH|TEMPLATE",
            help="Print one value only: .Config.Env, .Id, .LayersData.0.Size; or by a template.",
            show_default=False,
        ),
    ] = "",
    kind: Annotated[
        str,
        typer.Option(
            *("--type", "-t"),
            metavar="image|container",
            help="What is meant.",
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
    latest: choice.Latest = False,  # noqa: FBT002 - typer's form of a flag
) -> None:
    """Show containers and images as JSON, as `podman inspect` does.

    A name that both have is the container's; --type says which is meant.
    """
    from rootless.cli import inspected  # noqa: PLC0415 - --help needs none of it
    from rootless.errors import InvalidInput  # noqa: PLC0415

    if kind not in ("", "image", "container"):
        raise InvalidInput("no such type", kind, "image or container")
    if latest:
        from rootless.containers.choice import Choice, chosen  # noqa: PLC0415

        names, kind = chosen(Choice(tuple(names or ()), latest=True)), kind or "container"
    if not names:
        raise InvalidInput("nothing is named", fix="give NAME..., or --latest")
    if raw:
        for name in names:
            typer.echo(inspected.document(name, raw), nl=False)
        return
    shown = [inspected.details(name, kind) for name in names]
    if form:
        for value in shown:
            typer.echo(_formatted(form, value))
    else:
        typer.echo(json.dumps(shown, indent=4, ensure_ascii=False))


_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("User", "WorkingDir", "StopSignal"), ""),
    **{name: [] for name in ("Env", "Entrypoint", "Cmd")},
    **{name: {} for name in ("ExposedPorts", "Volumes", "Labels")},
}


def _formatted(form: str, value: dict[str, Any]) -> str:
    """Return what a template or a dotted path makes of a description; `Id` is taken for `.Id`."""
    from rootless.cli.go_template import field, is_template, render  # noqa: PLC0415

    if is_template(form):
        if "RootFS" in value:  # an image's document leaves out what is empty
            value = value | {"Config": {**_EMPTY, **value["Config"]}}
        return render(form, value)
    found = field(value, form.strip(), form)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
