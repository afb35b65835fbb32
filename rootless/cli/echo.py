"""Results on standard output, without typer: for commands that are started often."""

import sys


def echo(text: str) -> None:
    """Print a line, and let it out."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
