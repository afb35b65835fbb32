"""A command with commands below it: what it answers where no word, or a wrong one, names them."""

from difflib import get_close_matches
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from rootless.cli.exit import SETUP_FAILED
from rootless.errors import InvalidInput

if TYPE_CHECKING:  # typer keeps its copy of click private; only the annotations name it
    from typer._click.core import Command, Context


class Group(TyperGroup):
    """A group that shows its help to who gives no word, and names what a wrong one is near to."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Parse; without any word the help goes to stderr and nothing has been done: 125."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(SETUP_FAILED)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: "Context", args: list[str]
    ) -> tuple[str | None, "Command | None", list[str]]:
        """Find the command by its name; raises InvalidInput where there is none."""
        known = self.list_commands(ctx)
        if args[0] not in known and not ctx.resilient_parsing:
            near = get_close_matches(args[0], known)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise InvalidInput(
                "no such command", args[0], f"{meant}see '{ctx.command_path} --help'"
            )
        return super().resolve_command(ctx, args)
