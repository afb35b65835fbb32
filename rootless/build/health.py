"""HEALTHCHECK as an image's config has it: Docker's member `Healthcheck`; pure."""

import re
from collections.abc import Mapping
from typing import Any

from rootless.build.containerfile import Instruction

_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_LEAST = 10**6
_MOST = 2**63 - 1
_TIMES: Mapping[str, str] = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}


def healthcheck(instruction: Instruction) -> dict[str, Any]:
    """Return the member; raises BuildError."""
    kind, *words = instruction.words
    usage = "HEALTHCHECK [FLAGS] CMD COMMAND, or HEALTHCHECK NONE"
    if kind.upper() == "NONE":
        if words or instruction.flags:
            raise instruction.fault("HEALTHCHECK NONE takes nothing more", " ".join(words))
        return {"Test": ["NONE"]}
    if kind.upper() != "CMD":
        raise instruction.fault("HEALTHCHECK without CMD", kind, usage)
    if not words:
        raise instruction.fault("HEALTHCHECK CMD lacks a command", fix=usage)
    made: dict[str, Any] = {"Test": ["CMD" if instruction.is_exec_form else "CMD-SHELL", *words]}
    for name, value in instruction.flags:
        if name in _TIMES:
            made[_TIMES[name]] = _duration(instruction, name, value)
        else:
            made["Retries"] = _retries(instruction, value)
    return {key: value for key, value in made.items() if value}


def _duration(instruction: Instruction, name: str, value: str) -> int:
    """Return nanoseconds of what Go writes as 1h2m3.5s; 0 stands for the default."""
    parts = re.findall(_PART, value)
    is_right = "".join(number + unit for number, unit in parts) == value
    if value not in ("0", "+0") and not (is_right and parts):
        raise instruction.fault("not a time", f"--{name}={value}", "such as 90s, 1m30s, 500ms")
    found = sum(int(float(number) * _NANOSECONDS[unit]) for number, unit in parts)
    if found > _MOST or 0 < found < _LEAST:
        raise instruction.fault("a time too long or too short", f"--{name}={value}", "1ms or more")
    return found


def _retries(instruction: Instruction, value: str) -> int:
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise instruction.fault("not a number of retries", f"--retries={value}")
    return int(value)
