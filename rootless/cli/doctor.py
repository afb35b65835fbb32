"""`rootless doctor`."""

import os
import shutil
import sys

import typer

from rootless.cli.command import Command
from rootless.cli.exit import SETUP_FAILED
from rootless.doctor.report import can_run, run_checks, to_json, to_text
from rootless.paths import Paths

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def doctor(
    *,
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
    hpc: bool = typer.Option(False, "--hpc", help="Check what matters on a cluster's node, too."),
) -> None:
    """Check what this host has for running images: state, cause and fix of each precondition.

    Exit status 0 where `rootless run` can work, warnings or not; 125 where it cannot.
    """
    paths = Paths.from_environment()
    checks = run_checks(paths)
    if hpc:
        from rootless.bundle.caller import HostUser  # noqa: PLC0415 - asked for
        from rootless.doctor.hpc import check_node, gather  # noqa: PLC0415

        checks += check_node(gather(paths, HostUser.current().home))
    if as_json:
        typer.echo(to_json(checks))
    else:
        on_terminal = sys.stdout.isatty()
        # not wrapped into a file or a pipe: a fix is there to be copied, and to be searched for
        width = shutil.get_terminal_size().columns if on_terminal else 100_000
        color = on_terminal and "NO_COLOR" not in os.environ
        typer.echo(to_text(checks, width=width, color=color))
    if not can_run(checks):
        raise typer.Exit(SETUP_FAILED)
