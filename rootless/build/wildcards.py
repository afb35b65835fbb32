r"""Patterns of names as Go has them, made into regular expressions: pure.

`*` is any run of characters within a name, `?` one, `[a-z]` and `[^a-z]` one of a class, `\` takes
the next character as it is, and `**` goes over any number of names. Sources: Go's path/filepath
Match; for `**` Docker's .dockerignore, where it is any number of folders before what follows.
"""

import re
from functools import lru_cache

_WILD = re.compile(r"[*?\[\\]")


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
                parts.append("[^/]*")
                continue
            position += 1
            if text[position : position + 1] == "/":
                position += 1
            parts.append(".*" if position == len(text) else "(?:.*/)?")
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
    return re.compile("".join(parts), re.DOTALL)


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
