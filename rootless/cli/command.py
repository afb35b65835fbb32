"""A command whose help and errors read as every command's: no types of Python, its own name."""

from typing import TYPE_CHECKING

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:  # typer keeps its copy of click private; only the annotations name it
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter


class Command(TyperCommand):
    """A command with arguments; the usage shows what may be left out, the list what each is."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Parse; the parser's own errors name the command, as the others do."""
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise

    def collect_usage_pieces(self, ctx: "Context") -> list[str]:
        """Return the usage's words after the command's: `IMAGE`, where typer has `{IMAGE}`."""
        return [
            piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)
        ]

    def format_epilog(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the examples: the command's own, or those of the list."""
        from rootless.cli.examples import epilog_of  # noqa: PLC0415 - for help only

        if not self.epilog:
            self.epilog = epilog_of(tuple(ctx.command_path.split()[1:]))
        super().format_epilog(ctx, formatter)

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the arguments, each with its help, and then the options."""
        arguments, options = [], []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "option":
                options.append(record)
            else:  # typer's record has the type in Python's words, `NAME <list[str]>`
                help_ = getattr(parameter, "help", None)
                arguments.append((parameter.metavar or record[0], help_ or record[1]))
        for title, records in (("Arguments", arguments), ("Options", options)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
