"""`run --attach`: a container that lives on, and the caller attached to it from its first word."""

from collections.abc import Mapping
from typing import Any

from rootless.containers.attach import AttachOptions
from rootless.errors import InvalidInput

_STREAMS = ("stdin", "stdout", "stderr")


def as_detached(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options' values of a container that lives on; raises InvalidInput.

    All of its output is shown, whichever stream is named.
    """
    if given["bundle"] or given["native"] or given["detach"]:
        other = next(name for name in ("bundle", "native", "detach") if given[name])
        raise InvalidInput(f"--attach and --{other} exclude each other")
    for word in given["attach"]:
        if word.lower() not in _STREAMS:
            raise InvalidInput("no such stream", word, ", ".join(_STREAMS))
    interactive = given["interactive"] or _takes_input(given)
    return {**given, "detach": True, "interactive": interactive}


def options_of(given: Mapping[str, Any]) -> AttachOptions:
    """Return what of the caller's goes to the container; raises InvalidInput."""
    return AttachOptions(
        takes_input=_takes_input(given),
        has_terminal=given["tty"],
        sig_proxy=_is_true(given["sig_proxy"] or "true"),
    )


def _takes_input(given: Mapping[str, Any]) -> bool:
    return "stdin" in map(str.lower, given["attach"])


def _is_true(text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidInput("neither true nor false", text, "--sig-proxy=true|false")
    return text == "true"
