"""A table of TOML as values of options of `run`: each checked for what its option takes; pure.

An option has its long name without the dashes. A switch is true or false, a value is a string or a
number, an option that may be given again is an array, or a table where its values are NAME=VALUE.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rootless.errors import InvalidInput

FLAG, TEXT, TEXTS = "flag", "text", "texts"
"""What an option takes."""

Value = bool | str | tuple[str, ...]
Options = Mapping[str, str]
"""What each option takes, by its name."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}")
_PAIRS = frozenset(("annotation", "env", "label", "log-opt", "ulimit"))
_SWITCH_WORDS = frozenset(("tls-verify",))  # true or false is a word there


def fault(file: Path, place: str, what: str) -> InvalidInput:
    """Return the error for a value that cannot be."""
    return InvalidInput("wrong setting", f"{file}: {place}", what)


def is_name(text: str) -> bool:
    """Tell whether a profile or an alias can be called so: letters, digits and _ . + -."""
    return _NAME.fullmatch(text) is not None


def table(value: Any, file: Path, place: str) -> dict[str, Any]:
    """Return a value that must be a table."""
    if not isinstance(value, dict):
        raise fault(file, place, "it must be a table")
    return value


def value_of(name: str, given: Any, options: Options, file: Path, place: str) -> Value:
    """Return an option's value; raises InvalidInput, with the file and the place in it.

    Args:
        name: The option.
        given: What the file says.
        options: What there are.
        file: The file.
        place: The place in it: `profiles.dev.env`.
    """
    kind = options.get(name)
    if kind is None:
        raise fault(file, place, _unknown(name, options))
    if kind == FLAG:
        if not isinstance(given, bool):
            raise fault(file, place, "it must be true or false")
        return given
    if kind == TEXT:
        if isinstance(given, bool) and name in _SWITCH_WORDS:
            return "true" if given else "false"
        return text(given, file, place)
    return tuple(_texts(name, given, file, place))


def text(given: Any, file: Path, place: str) -> str:
    """Return a string, or a number as one."""
    if isinstance(given, str) and "\0" not in given:
        return given
    if isinstance(given, int | float) and not isinstance(given, bool):
        return str(given)
    raise fault(file, place, "it must be a string")


def _texts(name: str, given: Any, file: Path, place: str) -> Iterator[str]:
    if isinstance(given, dict) and name in _PAIRS:
        for key, value in given.items():
            yield f"{key}={text(value, file, f'{place}.{key}')}"
    elif isinstance(given, list):
        for position, value in enumerate(given):
            yield text(value, file, f"{place}[{position}]")
    elif isinstance(given, str):
        yield text(given, file, place)
    else:
        also = ", or a table of NAME = VALUE" if name in _PAIRS else ""
        raise fault(file, place, f"it must be an array of strings{also}")


def _unknown(name: str, options: Options) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    near = get_close_matches(name.replace("_", "-"), options)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return f"no such option; {meant}'rootless run --help' lists them, here without the dashes"
