"""The functions of Go's text/template, and those that podman and docker add; pure.

Source: the documentation of text/template, "Functions", and docker's page on formatting.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rootless.errors import InvalidInput

_VERB = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])")
_WIDEST = 1000


def text_of(value: Any) -> str:
    """Return what is shown of a value: a list as `[a b]`, a map as `map[a:1 b:2]`."""
    return "<no value>" if value is None else _inner(value)


def _inner(value: Any) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{_inner(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_inner, value))}]"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_true(value: Any) -> bool:
    """Tell whether `if` takes it: what is empty or zero is not."""
    return bool(value)


def _index(value: Any, *keys: Any) -> Any:
    """Return an element; "" for a key that is not there, as Go has it for maps of strings."""
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(str(key), "")
            continue
        number = int(key) if re.fullmatch(r"\d{1,9}", str(key)) else -1
        if not (isinstance(value, list | str) and 0 <= number < len(value)):
            raise InvalidInput("nothing has that index", str(key))
        value = value[number]
    return value


def _slice(value: Any, *bounds: Any) -> Any:
    if not isinstance(value, list | str) or not all(isinstance(each, int) for each in bounds):
        raise InvalidInput("slice takes a list or a text, and numbers", text_of(value))
    start, end = (*bounds, 0)[0], bounds[1] if len(bounds) > 1 else len(value)
    return value[start:end]


def _length(value: Any) -> int:
    return len(value) if isinstance(value, Mapping | list | str) else 0


def _equal(first: Any, *others: Any) -> bool:
    return any(first == other for other in others)


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(one: Any, other: Any) -> bool:
        try:
            return test(one, other)
        except TypeError:
            raise InvalidInput(
                "not to be compared", f"{text_of(one)} and {text_of(other)}"
            ) from None

    return compare


def _and(*values: Any) -> Any:
    return next((value for value in values if not is_true(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if is_true(value)), values[-1])


def _print(*values: Any) -> str:
    """As Go's Sprint: a blank between two that are no texts."""
    shown = ""
    for number, value in enumerate(values):
        apart = number and not isinstance(value, str) and not isinstance(values[number - 1], str)
        shown += (" " if apart else "") + text_of(value)
    return shown


def _println(*values: Any) -> str:
    return " ".join(map(text_of, values)) + "\n"


def _printf(form: str, *values: Any) -> str:
    left = list(values)

    def made(match: re.Match[str]) -> str:
        flags, width, places, verb = match.groups()
        if verb == "%":
            return "%"
        if not left or int(width or 0) > _WIDEST or int(places or 0) > _WIDEST:
            raise InvalidInput("printf has nothing for it", match[0])
        return _verb(left.pop(0), f"%{flags}{width}{f'.{places}' if places else ''}", verb)

    return _VERB.sub(made, str(form))


def _verb(value: Any, shape: str, verb: str) -> str:
    if verb == "q":
        value, verb = json.dumps(text_of(value), ensure_ascii=False), "s"
    elif verb in "svt":
        value, verb = text_of(value), "s"
    if (verb != "s" and not isinstance(value, int | float)) or verb not in "sdxXofeg":
        raise InvalidInput("printf cannot show it so", f"%{verb} of {text_of(value)}")
    return str((shape + verb) % value)


def _join(values: Any, separator: str) -> str:
    if not isinstance(values, list):
        raise InvalidInput("join takes a list", text_of(values))
    return str(separator).join(map(text_of, values))


def _pad(text: str, before: int, after: int) -> str:
    return " " * min(before, _WIDEST) + text_of(text) + " " * min(after, _WIDEST) if text else ""


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int]] = {
    "json": (lambda value: json.dumps(value, ensure_ascii=False), 1, 1),
    "index": (_index, 1, 9),
    "slice": (_slice, 1, 3),
    "len": (_length, 1, 1),
    "upper": (lambda value: text_of(value).upper(), 1, 1),
    "lower": (lambda value: text_of(value).lower(), 1, 1),
    "title": (lambda value: text_of(value).title(), 1, 1),
    "join": (_join, 2, 2),
    "split": (lambda text, separator: text_of(text).split(str(separator) or None), 2, 2),
    "truncate": (lambda text, length: text_of(text)[: int(length)], 2, 2),
    "pad": (_pad, 3, 3),
    "println": (_println, 0, 99),
    "print": (_print, 0, 99),
    "printf": (_printf, 1, 99),
    "eq": (_equal, 2, 99),
    "ne": (lambda one, other: one != other, 2, 2),
    "lt": (_compared(lambda one, other: one < other), 2, 2),
    "le": (_compared(lambda one, other: one <= other), 2, 2),
    "gt": (_compared(lambda one, other: one > other), 2, 2),
    "ge": (_compared(lambda one, other: one >= other), 2, 2),
    "and": (_and, 1, 99),
    "or": (_or, 1, 99),
    "not": (lambda value: not is_true(value), 1, 1),
}
"""Each with how few and how many values it takes."""

SAFE = ("and", "or", "not")
"""Those that are asked whether something is there."""


def called(name: str, given: Sequence[Any]) -> Any:
    """Return what a function makes of values; raises InvalidInput."""
    function, least, most = FUNCTIONS[name]
    if not least <= len(given) <= most:
        raise InvalidInput("not understood in a format", name, f"it takes {least} values")
    try:
        return function(*given)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} cannot take that", " ".join(map(text_of, given))) from error
