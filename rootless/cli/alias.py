"""`rootless alias`: commands of the host that run in images."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from typing import Annotated

import typer

from rootless.cli.command import Command
from rootless.cli.group import Group

_HELP = "Make commands of the host that run in images."
app = typer.Typer(cls=Group, rich_markup_mode=None, add_completion=False, help=_HELP)

_Names = Annotated[
    list[str], typer.Argument(metavar="NAME...", help="Aliases.", show_default=False)
]
_Force = Annotated[
    bool, typer.Option("--force", "-f", help="Replace a command that is something else.")
]
_NoPull = Annotated[
    bool, typer.Option("--no-pull", help="Do not look whether the image is there, or pull it.")
]
_Pin = Annotated[bool, typer.Option("--pin", help="Name the image by the digest that it has now.")]


@app.callback(
    epilog="""\b
An alias is a small program in ~/.local/bin that runs a command in an image, in
the current folder, with your home, name, environment and terminal:
  rootless alias add node --image docker.io/library/node:22
  node -e 'console.log(process.cwd())'
\b
A project keeps its tools in a file beside its code, and each who works on it
installs them:
  rootless alias sync                  # reads ./aliases.toml, or one above
\b
For what is new to be found at once, in ~/.bashrc:
  eval "$(rootless alias init bash)\""""
)
def _alias() -> None:
    """Make commands of the host that run in images."""


@app.command(
    cls=Command,
    epilog="""\b
Examples:
  rootless alias add python3.13 --image docker.io/library/python:3.13
  rootless alias add ffmpeg --image linuxserver/ffmpeg --device /dev/dri
  rootless alias add tf --image hashicorp/terraform --pin -- terraform -chdir=infra
  rootless alias add clean --image debian --share cwd -o network=none -- make clean""",
)
def add(  # noqa: PLR0917 - one parameter an option
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND...]", help="What it runs; else its name.", show_default=False
        ),
    ] = None,
    image: Annotated[
        str, typer.Option("--image", metavar="IMAGE", help="Where it runs.", show_default=False)
    ] = "",
    share: Annotated[
        list[str] | None,
        typer.Option(
            *("--share",),
            metavar="WHAT",
            help="home,cwd,tmp, which it is else; also ssh-agent, git-config; none.",
            show_default=False,
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", "-e", metavar="NAME[=VALUE]", help="A variable.", show_default=False),
    ] = None,
    volume: Annotated[
        list[str] | None,
        typer.Option(
            "--volume", "-v", metavar="SRC:DST[:OPTS]", help="A folder.", show_default=False
        ),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option("--device", metavar="SRC[:DST]", help="A device.", show_default=False),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            *("--option", "-o"),
            metavar="NAME=VALUE",
            help="Any option of `run`: memory=2g, read-only=true.",
            show_default=False,
        ),
    ] = None,
    image_command: Annotated[
        bool, typer.Option("--image-command", help="Run what the image says, with its entrypoint.")
    ] = False,
    evaluate: Annotated[
        bool, typer.Option("--eval", help="What it prints is for the shell: see `init`.")
    ] = False,
    pin: _Pin = False,
    no_pull: _NoPull = False,
    force: _Force = False,
) -> None:
    """Make an alias, or another one of that name; its image is pulled if it is not there."""
    from rootless.cli import alias_actions  # noqa: PLC0415 - --help needs none of it

    values = {"share": share, "env": env, "volume": volume, "device": device}
    alias_actions.add(
        alias_actions.requested(
            name,
            image,
            command=() if image_command else tuple(command or (name,)),
            lists={key: tuple(value) for key, value in values.items() if value},
            options=option or [],
            evaluate=evaluate,
        ),
        pin=pin,
        pull=not no_pull,
        force=force,
    )


@app.command("list", cls=Command)
def list_(
    form: Annotated[
        str, typer.Option("--format", metavar="table|json", help="How to print it.")
    ] = "table",
) -> None:
    """List the aliases that are installed, and those that are defined and are not."""
    from rootless.cli import alias_actions  # noqa: PLC0415 - --help needs none of it
    from rootless.errors import InvalidInput  # noqa: PLC0415

    if form not in ("table", "json"):
        raise InvalidInput("no such format", form, "table or json")
    for line in alias_actions.listed(as_json=form == "json"):
        typer.echo(line)


@app.command(cls=Command)
def remove(names: _Names) -> int:
    """Remove aliases; their images stay. A project's file keeps its own."""
    from rootless.cli import alias_actions  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.each import for_each  # noqa: PLC0415

    return for_each(names, alias_actions.remove)


@app.command(cls=Command)
def edit(no_pull: _NoPull = False) -> None:
    """Edit your aliases with $VISUAL or $EDITOR; what is wrong is told, and changes nothing."""
    from rootless.cli import alias_actions  # noqa: PLC0415 - --help needs none of it

    alias_actions.edit(pull=not no_pull)


@app.command(cls=Command)
def sync(
    file: Annotated[
        str,
        typer.Argument(
            metavar="[FILE]",
            help="Else the aliases.toml of this folder or of one above; else yours.",
            show_default=False,
        ),
    ] = "",
    pin: _Pin = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Trust the file: do not ask.")] = False,
    no_pull: _NoPull = False,
    force: _Force = False,
) -> None:
    """Install the aliases of a file, and remove those that it has no more.

    A project's file is somebody's who may ask for your folders: what it wants is shown, and asked
    for once, and again when the file has changed. With --pin digests are written into it.
    """
    from rootless.cli import alias_actions  # noqa: PLC0415 - --help needs none of it

    alias_actions.sync(file, pin=pin, trusted=yes, pull=not no_pull, force=force)


@app.command(cls=Command)
def doctor() -> int:
    """Say what is wrong with the aliases, and what to do; 1 where something is."""
    from rootless.cli import alias_actions  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.exit import printable  # noqa: PLC0415

    faults = 0
    for name, what in alias_actions.faults():
        typer.echo(printable(f"{name}: {what}"))
        faults += 1
    if not faults:
        typer.echo("all aliases are well")
    return 1 if faults else 0


@app.command(cls=Command)
def init(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell.")],
) -> None:
    """Print what a shell has to know, for its start-up file: eval "$(rootless alias init bash)".

    The folder of the aliases is put into the PATH, a new alias is found at once, and aliases made
    with --eval become functions.
    """
    from rootless.cli import alias_actions  # noqa: PLC0415 - --help needs none of it

    typer.echo(alias_actions.init(shell), nl=False)
