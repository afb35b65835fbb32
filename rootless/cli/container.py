"""`rootless container`: the commands for containers once more, as podman groups them."""

import importlib
from typing import TYPE_CHECKING

import typer

from rootless.cli.group import Group

if TYPE_CHECKING:
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter

_SAME = (
    *("attach", "create", "exec", "inspect", "kill", "logs", "port", "prune", "ps", "rename"),
    *("rm", "run", "start", "stop", "top", "wait"),
)


class _SameCommands(Group):
    """A group of commands that are those of the top."""

    def list_commands(self, ctx: "Context") -> list[str]:
        del ctx
        return list(_SAME)

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        del ctx
        if cmd_name not in _SAME:
            return None
        module = importlib.import_module(f"rootless.cli.{cmd_name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        del ctx
        with formatter.section("Commands, as at the top"):
            formatter.write_text(", ".join(_SAME))


app = typer.Typer(cls=_SameCommands, rich_markup_mode=None, add_completion=False)


@app.callback()
def _container() -> None:
    """Work with containers: `rootless container prune` is `rootless prune`."""
