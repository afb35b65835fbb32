"""The options of `run` as profiles and aliases name them, and values of theirs as it takes them."""

from collections.abc import Mapping
from typing import Any

from rootless.cli.option_table import COMMANDS
from rootless.cli.straight import read
from rootless.config.option_values import FLAG, TEXT, TEXTS, Value

_PARAMETERS: Mapping[str, Any] = COMMANDS["run"]["parameters"]


def _long(spelled: str) -> str:
    return next(word for word in spelled.split() if word.startswith("--")).removeprefix("--")


_BY_NAME = {
    _long(spec[2]): parameter
    for parameter, spec in _PARAMETERS.items()
    if spec[0] in (FLAG, TEXT, TEXTS)
}

KINDS = {name: str(_PARAMETERS[parameter][0]) for name, parameter in _BY_NAME.items()}
"""What each option takes, by its long name without the dashes."""


def merged(given: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """Return the values by parameter, where what was given has the last word.

    What may be given again is added to; a switch that was given cannot be taken back.
    """
    result = dict(given)
    for name, value in values.items():
        parameter = _BY_NAME[name]
        kind, default = _PARAMETERS[parameter][:2]
        own = given.get(parameter, default)
        if kind == TEXTS:
            result[parameter] = [*(value if isinstance(value, tuple) else ()), *(own or ())]
        elif own == default:
            result[parameter] = value
    return result


def of_image(image: str, values: Mapping[str, Value]) -> dict[str, Any]:
    """Return the values by parameter of `run IMAGE` with these options."""
    given = read(["run", image])
    assert given is not None  # noqa: S101 - an ordinary command line
    return merged(given, values)


def as_words(values: Mapping[str, Value]) -> list[str]:
    """Return the values as words of a command line."""
    found = []
    for name, value in values.items():
        if isinstance(value, bool):
            negated = f"--no-{name}" in " ".join(_PARAMETERS[_BY_NAME[name]][2:]).split()
            found += [f"--{name}"] if value else [f"--no-{name}"] if negated else []
        else:
            several = (value,) if isinstance(value, str) else value
            found += [f"--{name}={each}" for each in several]
    return found
