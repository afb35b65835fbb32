"""`rootless completion`: the script that makes a shell complete."""

from typing import Annotated

import typer

from rootless.cli.command import Command

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_SCRIPTS = {"bash": "rootless.bash", "zsh": "_rootless", "fish": "rootless.fish"}


@app.command(
    cls=Command,
    epilog="""\b
Examples:
  source <(rootless completion bash)          # this shell only
  rootless completion bash >~/.local/share/bash-completion/completions/rootless
  rootless completion zsh >~/.zfunc/_rootless    # a folder of $fpath
  rootless completion fish >~/.config/fish/completions/rootless.fish""",
)
def completion(
    shell: Annotated[
        str, typer.Argument(metavar="bash|zsh|fish", help="The shell.", show_default=False)
    ],
) -> None:
    """Print a shell's completion of commands, options, images, containers, profiles and aliases."""
    from pathlib import Path  # noqa: PLC0415 - --help needs none of it

    from rootless.errors import InvalidInput  # noqa: PLC0415

    if shell not in _SCRIPTS:
        raise InvalidInput("no completion for this shell", shell, "bash, zsh or fish")
    script = Path(__file__).with_name("shells") / _SCRIPTS[shell]
    typer.echo(script.read_text(encoding="utf-8"), nl=False)
