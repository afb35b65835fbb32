"""`rootless logs`: what a container said."""

import sys
from typing import Annotated

import typer

from rootless.cli import choice_options as choice
from rootless.cli.command import Command
from rootless.cli.exit import print_line

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def logs(  # noqa: PLR0917 - one parameter an option
    container: choice.Name = "",
    follow: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--follow", "-f", help="Go on until it ends.")
    ] = False,
    tail: Annotated[
        str, typer.Option("--tail", "-n", metavar="N", help="The last N lines.")
    ] = "all",
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="From a time on, or so long ago (10m).", show_default=False
        ),
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="TIME", help="Up to a time.", show_default=False)
    ] = "",
    timestamps: Annotated[  # noqa: FBT002
        bool, typer.Option("--timestamps", "-t", help="Show when each line was said.")
    ] = False,
    latest: choice.Latest = False,  # noqa: FBT002
) -> None:
    """Show what a container said, each stream where it belongs."""
    from rootless.containers import commands  # noqa: PLC0415 - --help needs none of it
    from rootless.containers.choice import the_one  # noqa: PLC0415

    wanted = commands.wanted(tail, since, until)
    streams = {False: sys.stdout.buffer, True: sys.stderr.buffer}
    begun = {False: False, True: False}
    log = commands.read_log(the_one(container, latest=latest), wanted, follow=follow)
    for entry in log.entries:
        stream = streams[entry.is_stderr]
        if timestamps and not begun[entry.is_stderr]:
            stream.write(entry.time + b" ")
        stream.write(entry.text + (b"\n" if entry.whole else b""))
        begun[entry.is_stderr] = not entry.whole
        if follow:
            stream.flush()
    lost = log.error()
    if lost:
        print_line(f"some of its output is not in the log: {lost}")
