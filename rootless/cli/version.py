"""`rootless version`: which rootless this is."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def version(
    form: Annotated[
        str,
        typer.Option(
            *("--format", "-f"),
            metavar="json|TEMPLATE",
            help="How to print it: a template as podman's, over .Client.Version.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Print the version of rootless, and of what it runs on."""
    from rootless.cli import host_facts  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.formatted import formatted  # noqa: PLC0415

    if form:
        both = host_facts.version()  # there is no server: what asks for its version gets ours
        typer.echo(formatted({"Client": both, "Server": both}, form))
        return
    for line in host_facts.version_lines():
        typer.echo(line)
