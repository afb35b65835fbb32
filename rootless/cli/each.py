"""A command for each of several containers: one that fails does not keep the others from it."""

from collections.abc import Callable, Iterable

from rootless.cli.echo import echo
from rootless.cli.exit import print_line
from rootless.errors import NotFound, RootlessError


def for_each(words: Iterable[str], act: Callable[[str], str], *, ignore: bool = False) -> int:
    """Act on each and print what it returns; return the status of the last failure, else 0.

    Args:
        words: What a user calls them.
        act: Raises RootlessError for one that is not to be done.
        ignore: One that is not there is passed over.
    """
    status = 0
    for word in words:
        try:
            echo(act(word))
        except RootlessError as error:
            if ignore and isinstance(error, NotFound):
                continue
            print_line(str(error))
            status = error.exit_status
    return status
