"""The part of Go's text/template that podman's and docker's `--format` is used with.

`{{.Config.User}}`, `{{json .}}`, `{{index .Labels "a.b"}}`, `{{len .Mounts}}`, and the text between
them. What has branches and loops is for `--format json` and jq.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from rootless.errors import InvalidInput

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|`([^`]*)`|(\S+)')
_ESCAPES = {r"\t": "\t", r"\n": "\n", "\\\\": "\\"}
_FUNCTIONS = ("json", "index", "len", "upper", "lower")


def is_template(text: str) -> bool:
    """Tell whether a format is a template, and not a word such as `json`."""
    return "{{" in text


def render(template: str, value: Any) -> str:
    r"""Return the text that a template makes of a document; `\t` and `\n` are what they are in Go.

    Raises:
        InvalidInput: It asks for what is not there, or for what is not understood here.
    """
    text, last = [], 0
    for match in _ACTION.finditer(template):
        text.append(_plain(template[last : match.start()]))
        text.append(_text(_value(match[1], value, template)))
        last = match.end()
    return "".join([*text, _plain(template[last:])])


def _plain(text: str) -> str:
    return re.sub(r"\\[tn\\]", lambda match: _ESCAPES[match[0]], text)


def _value(action: str, value: Any, template: str) -> Any:
    words = [_word(match) for match in _WORD.finditer(action)]
    if not words or len(words) > 8:
        raise _not_understood(action)
    function, *given = words
    if function.startswith(".") and not given:
        return field(value, function, template)
    if function not in _FUNCTIONS or not given:
        raise _not_understood(action)
    found = field(value, given[0], template)
    if function == "index":
        for key in given[1:]:
            found = _index(found, key)
        return found
    if len(given) > 1:
        raise _not_understood(action)
    if function == "json":
        return json.dumps(found, ensure_ascii=False)
    if function == "len":
        return len(found) if isinstance(found, (Mapping, list, str)) else 0
    return _text(found).upper() if function == "upper" else _text(found).lower()


def _word(match: re.Match[str]) -> str:
    if match[1] is not None:
        return re.sub(r"\\(.)", r"\1", match[1])
    return match[2] if match[2] is not None else match[3]


def field(value: Any, path: str, template: str) -> Any:
    """Return what a dotted path leads to: `.Config.Env`, `.` for all; raises InvalidInput."""
    for name in path.strip(".").split(".") if path.strip(".") else ():
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isascii() and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            known = ", ".join(value) if isinstance(value, Mapping) else "none"
            raise InvalidInput("no such value", template, f"at {name}; there are: {known}")
    return value


def _index(value: Any, key: str) -> Any:
    """Return an element; "" for a key that is not there, as Go has it for maps of strings."""
    if isinstance(value, Mapping):
        return value.get(key, "")
    if isinstance(value, list) and key.isascii() and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    raise InvalidInput("nothing has that index", key)


def _text(value: Any) -> str:
    if value is None:
        return "<no value>"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _not_understood(action: str) -> InvalidInput:
    fix = '.A.B, json .A, index .A "key", len .A; --format json and jq do the rest'
    return InvalidInput("not understood in a format", f"{{{{{action}}}}}", fix)
