"""`rootless search-tags`: which tags an image has in its registry."""

from typing import TYPE_CHECKING, Annotated

import typer

from rootless.cli import registry_options as registries
from rootless.cli.command import Command

if TYPE_CHECKING:
    from rootless.registry.settings import Settings

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def search_tags(  # noqa: PLR0917 - one parameter an option
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A name without a tag.", show_default=False)
    ],
    limit: Annotated[
        int, typer.Option(metavar="N", min=0, help="At most so many tags; 0 is all.")
    ] = 25,
    form: Annotated[
        str,
        typer.Option("--format", metavar="table|json", help="A table, or JSON as podman has it."),
    ] = "table",
    authfile: registries.AuthFile = "",
    cert_dir: registries.CertDir = "",
    tls_verify: registries.TLSVerify = "",
) -> None:
    """List the tags of an image in its registry."""
    import json  # noqa: PLC0415 - --help needs none of it

    from rootless.cli import table  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.transfer import tasks  # noqa: PLC0415

    if form not in ("table", "json"):
        raise InvalidInput("--format takes table or json", form)
    settings = registries.plain_settings(
        authfile=authfile, tls_verify=tls_verify, cert_dir=cert_dir
    )
    name, tags = tasks.run(lambda: _tags(image, limit, settings))
    if form == "json":
        typer.echo(json.dumps([{"Name": name, "Tags": tags}], indent=4))
        return
    for line in table.lines(["NAME", "TAG"], [[name, tag] for tag in tags]):
        typer.echo(line)


async def _tags(image: str, limit: int, settings: "Settings") -> tuple[str, list[str]]:
    """Return the full name and the tags; of what a short name may mean, the first that is there."""
    from rootless.errors import NotFound  # noqa: PLC0415
    from rootless.registry.client import Registry  # noqa: PLC0415
    from rootless.registry.settings import candidates  # noqa: PLC0415

    *others, last = candidates(image, settings)
    async with Registry(settings) as registry:
        for reference in others:
            try:
                found = await registry.repository(reference).tags(limit)
            except NotFound:
                continue
            return reference.repository, found
        return last.repository, await registry.repository(last).tags(limit)
