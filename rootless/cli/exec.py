"""`rootless exec`: a command in a running container."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from typing import Annotated

import typer

from rootless.cli import actions
from rootless.cli import choice_options as choice
from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    "exec",
    cls=Command,
    context_settings={"allow_interspersed_args": False},
)
def exec_(  # noqa: PLR0917 - one parameter an option
    container: choice.Name = "",
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", show_default=False, help="What to run."),
    ] = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Pass standard input.")
    ] = False,
    tty: Annotated[bool, typer.Option("--tty", "-t", help="Give it a terminal.")] = False,
    env: Annotated[
        list[str] | None,
        typer.Option(
            *("--env", "-e"),
            metavar="NAME[=VALUE]",
            help="Set a variable, or pass yours.",
            show_default=False,
        ),
    ] = None,
    env_file: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Variables, one a line.", show_default=False),
    ] = None,
    user: Annotated[
        str,
        typer.Option(
            *("--user", "-u"),
            metavar="USER[:GROUP]",
            help="Who runs it; else as the container.",
            show_default=False,
        ),
    ] = "",
    workdir: Annotated[
        str,
        typer.Option(
            *("--workdir", "-w"), metavar="DIR", help="Working directory.", show_default=False
        ),
    ] = "",
    privileged: Annotated[
        bool,
        typer.Option("--privileged", help="It has every capability inside, and no filter."),
    ] = False,
    latest: choice.Latest = False,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Leave it running; it has no output.")
    ] = False,
) -> int:
    """Run a command in a running container; the status is the command's.

    With --latest there is no NAME. 125 when rootless failed, 126 or 127 when the command could not
    be executed or found, 128+N when signal N ended it.
    """
    return actions.exec_(locals())
