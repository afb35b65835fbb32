"""`rootless sbom`: which packages an image has."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_HEADER = ("NAME", "VERSION", "TYPE", "ARCH")


@app.command(cls=Command)
def sbom(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
    form: Annotated[
        str,
        typer.Option(
            *("--output", "-o", "--format"),
            metavar="FORMAT[=FILE]",
            help="table, json, spdx-json or cyclonedx-json; into a file.",
        ),
    ] = "table",
) -> None:
    """List the Debian, RPM, Alpine and Python packages of an image; nothing of it is run."""
    from rootless.cli import table  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.exit import print_line  # noqa: PLC0415
    from rootless.cli.named_image import named_image  # noqa: PLC0415
    from rootless.containers.lazy_layers import complete_image  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.image import describe, trees  # noqa: PLC0415
    from rootless.sbom import documents  # noqa: PLC0415
    from rootless.sbom.find import find  # noqa: PLC0415

    form, _, file = form.partition("=")
    if form not in ("table", "json", "spdx-json", "cyclonedx-json"):
        fix = "table, json, spdx-json or cyclonedx-json"
        raise InvalidInput("no such format", form, fix)
    store, known, _ = named_image(image)
    complete_image(store, known)
    found = find(trees.place_of(store, known))
    for path in found.unread:
        print_line(f"not read, an older form of rpm's database or its log: {path}")
    name, digest = known.reference or image, describe.digest_of(known)
    if form == "table":
        text = "\n".join(table.lines(_HEADER, documents.rows(found.packages)))
    elif form == "json":
        import json  # noqa: PLC0415

        text = json.dumps(documents.as_json(found, name, digest), indent=2, ensure_ascii=False)
    elif form == "spdx-json":
        text = documents.as_spdx(found, name, digest)
    else:
        text = documents.as_cyclonedx(found, name, digest)
    if file:
        with open(file, "w", encoding="utf-8") as output:
            output.write(text + "\n")
    else:
        typer.echo(text)
