"""The command line of commands that are started often, read without typer.

The declarations in `run.py` and its neighbours stay the one place where options are defined:
`option_table` is made of them by contrib/option_table. What is not quite ordinary (an unknown
option, a missing value, --help) is left to typer, from the first word on, so that
there is one place for messages as well.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rootless.cli.option_table import COMMANDS

FLAG, UNFLAG, TEXT, TEXTS, NUMBER = "flag", "unflag", "text", "texts", "number"
"""How an option's value is read: True, False, the last given, all given, the last as an int."""

ONE, SOME, ANY = "one", "some", "any"
"""How many words an argument takes: one, one or more, none or more."""

TIMINGS = "--timings"

_DIGITS = 10


class _Unusual(Exception):
    """These words are not for us."""


def straight(words: Sequence[str]) -> Callable[[], object] | None:
    """Return what does as the words say; None where typer has to read them."""
    if words[:1] == [TIMINGS]:
        from rootless import timings  # noqa: PLC0415 - asked for

        timings.begin()
        words = words[1:]
    given = read(words)
    if given is None:
        return None
    from rootless.cli import actions  # noqa: PLC0415 - when it is known that one is called

    action = getattr(actions, COMMANDS[words[0]]["action"])
    return lambda: action(given)


def read(words: Sequence[str]) -> dict[str, Any] | None:
    """Return the values of a command's options and arguments, by parameter; None for typer."""
    table = COMMANDS.get(words[0]) if words else None
    if table is None or not all(map(_is_text, words)):
        return None
    given, options, arguments = {}, {}, []
    for name, (kind, default, *spelled) in table["parameters"].items():
        given[name] = default
        if kind in (ONE, SOME, ANY):
            arguments.append((name, kind))
        for names, its_kind in zip(spelled, (kind, UNFLAG), strict=False):
            for each in names.split():
                options[each] = name, its_kind
    try:
        left = _take_options(words[1:], options, given, interspersed=table["interspersed"])
        _take_arguments(left, arguments, given)
    except _Unusual:
        return None
    return given


def _is_text(word: str) -> bool:
    """Tell whether a word is UTF-8, which typer insists on."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _take_options(
    words: Sequence[str],
    options: Mapping[str, tuple[str, str]],
    given: dict[str, Any],
    *,
    interspersed: bool,
) -> list[str]:
    """Take the options out of the words; return what is left."""
    rest, left = list(reversed(words)), []
    while rest:
        word = rest.pop()
        if word == "--":
            break
        if len(word) < 2 or not word.startswith("-"):
            left.append(word)
            if not interspersed:
                break
            continue
        if word.startswith("--"):
            name, has_value, value = word.partition("=")
            known = options.get(name)
            if known is None:
                raise _Unusual
            if has_value:
                if known[1] in (FLAG, UNFLAG):
                    raise _Unusual
                rest.append(value)
            _take(known, rest, given)
        else:
            _take_cluster(word, rest, options, given)
    return [*left, *reversed(rest)]


def _take_cluster(
    word: str, rest: list[str], options: Mapping[str, tuple[str, str]], given: dict[str, Any]
) -> None:
    """Take options of one letter, `-it` or `-eNAME=VALUE`."""
    for position, letter in enumerate(word[1:], 2):
        known = options.get(f"-{letter}")
        if known is None:
            raise _Unusual
        if known[1] not in (FLAG, UNFLAG):
            if word[position:]:
                rest.append(word[position:])
            _take(known, rest, given)
            return
        _take(known, rest, given)


def _take(known: tuple[str, str], rest: list[str], given: dict[str, Any]) -> None:
    name, kind = known
    if kind in (FLAG, UNFLAG):
        given[name] = kind == FLAG
        return
    if not rest:
        raise _Unusual
    value = rest.pop()
    if kind == TEXTS:
        given[name] = [*(given[name] or ()), value]
    elif kind == TEXT:
        given[name] = value
    elif len(value) < _DIGITS and value.removeprefix("-").isdecimal() and value.isascii():
        given[name] = int(value)
    else:
        raise _Unusual


def _take_arguments(
    words: list[str], arguments: Sequence[tuple[str, str]], given: dict[str, Any]
) -> None:
    for name, count in arguments:
        if count == ONE:
            if not words:
                raise _Unusual
            given[name] = words.pop(0)
        elif words:
            given[name], words = words, []
        elif count == SOME:
            raise _Unusual
    if words:
        raise _Unusual
