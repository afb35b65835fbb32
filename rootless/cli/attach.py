"""`rootless attach`: the terminal, or the streams, of a running container."""

from typing import Annotated

import typer

from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def attach(
    container: choice.Name = "",
    no_stdin: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--no-stdin", help="Only look on.")
    ] = False,
    detach_keys: Annotated[
        str, typer.Option("--detach-keys", metavar="KEYS", help="What leaves it running.")
    ] = "ctrl-p,ctrl-q",
    sig_proxy: Annotated[  # noqa: FBT002
        bool, typer.Option("--sig-proxy/--no-sig-proxy", help="Pass signals on.")
    ] = True,
    latest: choice.Latest = False,  # noqa: FBT002
) -> int:
    """Attach to a running container: its output from now on, and your input.

    Ends with its status, or by the keys, which leave it running.
    """
    from rootless.containers import commands  # noqa: PLC0415 - --help needs none of it
    from rootless.containers.choice import the_one  # noqa: PLC0415
    from rootless.containers.detach_keys import parse  # noqa: PLC0415

    keys = parse(detach_keys)
    return commands.attach(
        the_one(container, latest=latest),
        takes_input=not no_stdin,
        detach_keys=keys,
        sig_proxy=sig_proxy,
    )
