"""`rootless history`: how an image came to be."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def history(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
    form: Annotated[
        str,
        typer.Option("--format", metavar="table|json|TEMPLATE", help="How to print it."),
    ] = "table",
    human: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--human/--no-human", "-H", help="Sizes and ages for people.")
    ] = True,
    no_trunc: Annotated[  # noqa: FBT002
        bool, typer.Option("--no-trunc", help="Print everything in full.")
    ] = False,
    quiet: Annotated[  # noqa: FBT002
        bool, typer.Option("--quiet", "-q", help="Print IDs only.")
    ] = False,
) -> None:
    """List the steps that made an image, the last one first."""
    import json  # noqa: PLC0415 - --help needs none of it

    from rootless.cli import layer_lines, table  # noqa: PLC0415
    from rootless.cli.formatted import check_list_format, template_lines  # noqa: PLC0415
    from rootless.cli.named_image import named_image  # noqa: PLC0415

    check_list_format(form)
    _, found, references = named_image(image)
    steps = layer_lines.steps(found, references)
    if form == "json":
        typer.echo(json.dumps(steps, indent=2, ensure_ascii=False))
        return
    now = datetime.now(UTC)
    rows = [layer_lines.history_row(step, now, no_trunc=no_trunc, human=human) for step in steps]
    if quiet:
        for row in rows:
            typer.echo(row[0])
    elif form != "table":
        for line in template_lines([dict(zip(_FIELDS, row, strict=True)) for row in rows], form):
            typer.echo(line)
    else:
        for line in table.lines(layer_lines.HISTORY_HEADER, rows):
            typer.echo(line)


_FIELDS = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")
