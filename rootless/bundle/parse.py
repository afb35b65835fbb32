"""Small values of the command line: sizes, entrypoints, security options; pure."""

import json
import re
import shlex
from collections.abc import Iterable

from rootless.errors import InvalidInput

_SIZE = re.compile(r"(\d+)\s*([bkmgt]?)(?:i?b)?", re.IGNORECASE)


def size(text: str) -> int:
    """Return the bytes of `64m`, `1g` or a plain number."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise InvalidInput("not a size", text, "a number, with k, m or g behind it")
    return int(match[1]) << (10 * " kmgt".index((match[2] or " ").lower().replace("b", " ")))


def entrypoint(text: str | None) -> tuple[str, ...] | None:
    """Return the words of `--entrypoint`: a JSON array, or shell words; "" clears it."""
    return None if text is None else words(text, "--entrypoint")


def words(text: str, option: str) -> tuple[str, ...]:
    """Return the words of an option's value: a JSON array, or what a shell makes of it."""
    if text.startswith("["):
        try:
            value = json.loads(text)
        except ValueError as error:
            raise InvalidInput(f"{option} is no JSON array", text) from error
        if not all(isinstance(word, str) for word in value):
            raise InvalidInput(f"{option} must be an array of strings", text)
        return tuple(value)
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidInput(f"{option}: {error}", text) from error


def no_new_privileges(options: Iterable[str]) -> bool:
    """Return whether no_new_privs is set, which it is unless `--security-opt` says no."""
    result = True
    for option in options:
        name, _, value = option.replace(":", "=").partition("=")
        if name != "no-new-privileges" or value not in ("", "true", "false"):
            raise InvalidInput("unknown security option", option, "no-new-privileges[=true|false]")
        result = value != "false"
    return result
