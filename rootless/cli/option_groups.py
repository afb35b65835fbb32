"""The help of a command with many options: a section for each group of them, examples last.

An option names its group as typer has it for its rich panels; the sections come in the order in
which their first options do.
"""

from typing import TYPE_CHECKING

import typer

from rootless.cli.command import Command

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter

_OTHERS = "Other options"


def option(*names: str, group: str, metavar: str, help_: str) -> object:
    """Return an option that takes a value."""
    return typer.Option(
        *names, metavar=metavar, help=help_, rich_help_panel=group, show_default=False
    )


def flag(*names: str, group: str, help_: str) -> object:
    """Return an option that takes none."""
    return typer.Option(*names, help=help_, rich_help_panel=group, show_default=False)


class GroupedCommand(Command):
    """A command whose help has a section for each group; `options_metavar` is its whole usage."""

    def collect_usage_pieces(self, ctx: "Context") -> list[str]:
        """Return the usage's words after the command's."""
        del ctx
        return [self.options_metavar or ""]

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the sections."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                group = getattr(parameter, "rich_help_panel", None) or _OTHERS
                groups.setdefault(group, []).append(record)
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl(records)
