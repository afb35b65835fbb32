"""What a registry asks for: the field WWW-Authenticate, RFC 9110 section 11.6.1 (pure)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_MAX_LENGTH = 8 << 10
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# `name=value` is a parameter; a word that no = follows begins the next challenge
_PARAMETER = re.compile(rf"\s*,?\s*({_WORD})\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]+))")
_SCHEME = re.compile(rf"[\s,]*({_WORD})(?=\s|,|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """A scheme, in lower case, and its parameters, their names in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Return the challenges of all fields of one response; what cannot be read ends the list."""
    found: list[Challenge] = []
    for value in values:
        text = value[:_MAX_LENGTH]
        position = 0
        while scheme := _SCHEME.match(text, position):
            position = scheme.end()
            parameters: dict[str, str] = {}
            while parameter := _PARAMETER.match(text, position):
                position = parameter.end()
                name, quoted, plain = parameter.groups()
                content = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                parameters.setdefault(name.lower(), content)
            found.append(Challenge(scheme[1].lower(), parameters))
    return tuple(found)
