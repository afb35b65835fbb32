"""`rootless runtime`: the OCI runtime, with runc's command line (as `rootless-runtime`)."""

import typer

from rootless.bundle.template import write_template
from rootless.cli.command import Command
from rootless.runtime import command_line

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    cls=Command,
    add_help_option=False,
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "allow_interspersed_args": False,
    },
)
def runtime(ctx: typer.Context) -> int:
    """Drive containers of bundles step by step, as runc does."""
    return command_line.main(ctx.args, "rootless runtime", write_template)
