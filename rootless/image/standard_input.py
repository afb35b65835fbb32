"""Standard input as where something is read from."""

import sys

from rootless.errors import InvalidInput


def piped(what: str, fix: str) -> int:
    """Return the descriptor of standard input.

    Args:
        what: What is missing where nothing can be read.
        fix: What to do then.

    Raises:
        InvalidInput: It is closed, or a terminal, at which one would wait for ever.
    """
    if sys.stdin is None:
        raise InvalidInput(what, "standard input is closed", fix)
    if sys.stdin.isatty():
        raise InvalidInput(what, "standard input is a terminal", fix)
    return sys.stdin.fileno()
