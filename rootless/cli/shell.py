"""`rootless shell`: a shell in an image that feels like the host's, and is still there tomorrow."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    cls=Command,
    context_settings={"allow_interspersed_args": False},
    epilog="""\b
Examples:
  rootless shell debian                  # your shell, your home, this folder
  rootless shell --root debian           # as root, to install something
  rootless shell --name work debian make # a command in place of a shell""",
)
def shell(  # noqa: PLR0917 - one parameter an option
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Name or ID.", show_default=False)],
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND",
            show_default=False,
            help="What to run; your $SHELL, bash or sh, whichever the image has.",
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="NAME",
            help="What it writes outside of your folders is kept under this name.",
            show_default="shell- and the image's",
        ),
    ] = "",
    root: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--root", help="Be root inside; outside it is you all the same.")
    ] = False,
    remove: Annotated[  # noqa: FBT002
        bool, typer.Option("--rm", help="Keep nothing.")
    ] = False,
    share: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="home, cwd, tmp, which it is else, ssh-agent, git-config; none.",
            show_default=False,
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            *("--env", "-e"),
            metavar="NAME[=VALUE]",
            help="Set a variable, or pass yours.",
            show_default=False,
        ),
    ] = None,
    volume: Annotated[
        list[str] | None,
        typer.Option(
            *("--volume", "-v"),
            metavar="SRC:DST[:OPTS]",
            help="Bind a folder or file.",
            show_default=False,
        ),
    ] = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Options of run from a profile.", show_default=False),
    ] = None,
) -> int:
    """Open a shell in an image: your home, this folder, your name, your environment.

    What is installed in it stays, until `rootless rm NAME`. One that is open already is joined.
    Any option of run is had by --profile.
    """
    from rootless.cli import shell_session  # noqa: PLC0415 - --help needs none of it

    options = {"share": share, "env": env, "volume": volume, "profile": profile}
    return shell_session.open_shell(
        shell_session.Wanted(
            *(image, tuple(command or ()), name or shell_session.name_for(image), root, remove),
            tuple((key, tuple(values)) for key, values in options.items() if values),
        )
    )
