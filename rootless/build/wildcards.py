r"""Patterns of names as Go has them, made into regular expressions: pure.

`*` is any run of characters within a name, `?` one, `[a-z]` and `[^a-z]` one of a class, `\` takes
the next character as it is, and `**` goes over any number of names. Sources: Go's path/filepath
Match; for `**` Docker's .dockerignore, where it is any number of folders before what follows.
"""

import re
from functools import lru_cache

_WILD = re.compile(r"[*?\[\\]")
_STAR = "[^/]*"
_FOLDERS = "(?:.*/)?"
_FEWEST = {_STAR: "[^/]*?", _FOLDERS: "(?:.*?/)??"}


def has_wildcards(text: str) -> bool:
    """Return whether a text means anything but itself."""
    return _WILD.search(text) is not None


@lru_cache(1024)
def pattern(text: str) -> re.Pattern[str]:
    """Return the expression that matches, in full, what *text* means; raises ValueError."""
    parts: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "*":
            if text[position : position + 1] != "*":
                parts.append(_STAR)
                continue
            position += 1
            if text[position : position + 1] == "/":
                position += 1
            parts.append(".*" if position == len(text) else _FOLDERS)
        elif character == "?":
            parts.append("[^/]")
        elif character == "[":
            expression, position = _class(text, position)
            parts.append(expression)
        elif character == "\\":
            if position == len(text):
                raise ValueError("a \\ at the end")
            parts.append(re.escape(text[position]))
            position += 1
        else:
            parts.append(re.escape(character))
    return re.compile("".join(_once(parts)), re.DOTALL)


def _once(parts: list[str]) -> list[str]:
    """Return the parts so that no text makes them try each way to divide it.

    What a `*` and the characters up to the next one match soonest leaves the most to that one, so
    that it is never tried again (`(?>…)`); and so with `**/` and the names up to the next one.
    """
    made: list[str] = []
    star = folders = -1  # where in it the last one is that another may follow
    for part in parts:
        if part == _STAR:
            if star >= 0:
                made[star:] = _soonest(made[star:])
            star = len(made)
        elif part == _FOLDERS:
            if made[-1:] == [_FOLDERS]:
                continue
            if folders >= 0 and made[-1] == "/":
                made[folders:] = _soonest(made[folders:])
            star, folders = -1, len(made)
        elif part in ("/", ".*"):
            star = -1
        made.append(part)
    return made


def _soonest(parts: list[str]) -> list[str]:
    return [f"(?>{_FEWEST[parts[0]]}{''.join(parts[1:])})"]


def _class(text: str, position: int) -> tuple[str, int]:
    """Return a class of characters, and where the text goes on after it."""
    is_negated = text[position : position + 1] == "^"
    position += is_negated
    ranges: list[str] = []
    while text[position : position + 1] != "]" or not ranges:
        low, position = _class_character(text, position)
        high = low
        if text[position : position + 1] == "-":
            high, position = _class_character(text, position + 1)
        if high < low:
            raise ValueError(f"a range from {low} to {high}")
        ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    inside = "".join(ranges)
    return (f"[^/{inside}]" if is_negated else f"(?!/)[{inside}]"), position + 1


def _class_character(text: str, position: int) -> tuple[str, int]:
    if text[position : position + 1] == "\\":
        position += 1
    elif text[position : position + 1] in ("-", "]"):
        raise ValueError("a class without characters")
    if position >= len(text):
        raise ValueError("a [ without its ]")
    return text[position], position + 1
