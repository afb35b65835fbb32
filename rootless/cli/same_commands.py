"""A group whose commands are, all or in part, those of the top by the same or another name."""

import importlib
from typing import TYPE_CHECKING, ClassVar

import typer

from rootless.cli.group import Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter


class SameCommands(Group):
    """A group of commands that are those of the top, beside its own.

    Attributes:
        same: The names here of commands of the top.
    """

    same: ClassVar["Mapping[str, str]"] = {}

    def list_commands(self, ctx: "Context") -> list[str]:
        """Return the names of both."""
        return sorted({*self.same, *super().list_commands(ctx)})

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Return a command; those of the top are imported when they are asked for."""
        from rootless.cli.app import COMMANDS  # noqa: PLC0415 - which imports this, to run it

        if cmd_name not in self.same:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(COMMANDS[self.same[cmd_name]].module)
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Show the names, and what those that are not at the top do."""
        own = super().list_commands(ctx)
        with formatter.section("Commands, as at the top"):
            formatter.write_text(", ".join(self.same))
        if own:
            with formatter.section("And"):
                formatter.write_dl([(name, self._help_of(ctx, name)) for name in own])

    def _help_of(self, ctx: "Context", name: str) -> str:
        command = super().get_command(ctx, name)
        return "" if command is None else command.get_short_help_str(100)
