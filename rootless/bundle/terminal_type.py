"""The caller's terminal type inside: one that the image does not know becomes one that it knows.

Without a description programs refuse to start, or lose their colours. Source: terminfo(5).
"""

from collections.abc import Callable, Iterable

_VARIABLE = "TERM="
_FOLDERS = ("lib/terminfo", "usr/share/terminfo", "etc/terminfo", "usr/lib/terminfo")
_INSTEAD = ("xterm-256color", "xterm")  # what terminals of today are like, whatever their name


def fitting(env: Iterable[str], has_file: Callable[[bytes], bool]) -> tuple[str, ...]:
    """Return variables with a TERM that an image knows; as it is where that knows none.

    Args:
        env: NAME=VALUE each.
        has_file: Tells whether the image has a file, by its path.
    """
    return tuple(_fitting(each, has_file) if each.startswith(_VARIABLE) else each for each in env)


def _fitting(variable: str, has_file: Callable[[bytes], bool]) -> str:
    own = variable.removeprefix(_VARIABLE)
    if not own or "/" in own:
        return variable
    names = (own, *(name for name in _INSTEAD if own not in ("dumb", *_INSTEAD)))
    known = (name for name in names if _is_known(name, has_file))
    return f"{_VARIABLE}{next(known, own)}"


def _is_known(name: str, has_file: Callable[[bytes], bool]) -> bool:
    return any(has_file(f"{folder}/{name[0]}/{name}".encode()) for folder in _FOLDERS)
