"""`rootless events`: what happens to containers."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def events(
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="json|TEMPLATE", help="How to print it.", show_default=False
        ),
    ] = "",
    filters: Annotated[
        list[str] | None,
        typer.Option(
            *("--filter", "-f"),
            metavar="KEY=VALUE",
            help="By event (create, start, die, remove), container, label or image.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print what happens to containers from now on, a line each, until Ctrl-C."""
    import json  # noqa: PLC0415 - --help needs none of it

    from rootless.cli.formatted import formatted  # noqa: PLC0415
    from rootless.containers import events as happening  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    wanted = happening.wanted(filters or ())
    if form not in ("", "json"):
        formatted({}, form if "{{" not in form else "{{/* a template */}}")
    for event in happening.watch(Paths.from_environment()):
        if not happening.holds(event, wanted):
            continue
        if not form:
            typer.echo(happening.line(event))
        elif form == "json":
            typer.echo(json.dumps(happening.document(event), ensure_ascii=False))
        else:
            typer.echo(formatted(happening.document(event), form))
