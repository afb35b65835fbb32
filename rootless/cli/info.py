"""`rootless info`: the host, the store and rootless in one document."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def info(
    form: Annotated[
        str,
        typer.Option(
            *("--format", "-f"),
            metavar="json|TEMPLATE",
            help="How to print it: a template as podman's, over .store.graphRoot.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Show the host, the store and how much is in it, in podman's words.

    Whether this host can run containers, and what it lacks, is for `rootless doctor`.
    """
    from rootless.cli import host_facts  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.formatted import formatted, indented  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    found = host_facts.info(Paths.from_environment())
    typer.echo(formatted(found, form) if form else "\n".join(indented(found)))
