"""`rootless tag`: another name for an image."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def tag(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
    new_names: Annotated[
        list[str], typer.Argument(metavar="NAME", help="Further names.", show_default=False)
    ],
) -> None:
    """Give an image further names; an image that had one of them before keeps its ID only."""
    from dataclasses import replace  # noqa: PLC0415 - --help needs none of it

    from rootless.image import names  # noqa: PLC0415
    from rootless.image.store import Store  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    references = [names.name_for_storing(name) for name in new_names]
    store = Store.open(Paths.from_environment(), create=True)
    entry = names.find(store, image)[0]
    names.add(store, [replace(entry, reference=reference) for reference in references])
