"""`rootless logout`: forget what `login` has kept."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from typing import Annotated

import typer

from rootless.cli import registry_options as registries
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def logout(
    registry: Annotated[
        str,
        typer.Argument(
            metavar="REGISTRY",
            show_default=False,
            help="As at login; else the first that registries.conf searches.",
        ),
    ] = "",
    every: Annotated[bool, typer.Option("--all", "-a", help="Forget all registries.")] = False,
    authfile: registries.AuthFile = "",
) -> None:
    """Forget the credentials for a registry."""
    from rootless.errors import InvalidInput, NotFound  # noqa: PLC0415 - --help needs none of it
    from rootless.registry.keyring import login_key  # noqa: PLC0415
    from rootless.registry.login import default_registry  # noqa: PLC0415

    settings = registries.plain_settings(authfile=authfile, tls_verify="", cert_dir="")
    keyring = settings.keyring
    if every:
        if registry:
            raise InvalidInput("--all and a registry exclude each other", registry)
        keyring.drop_all()
        typer.echo("Removed login credentials for all registries")
        return
    key = login_key(registry or default_registry(settings))
    if not keyring.drop(key):
        fix = ""
        if keyring.find(key) is not None:
            fix = "another tool has logged in; log out with that, or name its file by --authfile"
        raise NotFound("not logged in", key, fix)
    typer.echo(f"Removed login credentials for {key}")
