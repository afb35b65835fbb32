"""The console script.

Kept free of imports: what a command needs is imported when the command is known.
"""

import sys


def main() -> int:
    """Run the command line in `sys.argv`; return the exit status."""
    from rootless.cli.app import run  # noqa: PLC0415 - nothing is imported before it is needed

    return run(sys.argv[1:])
