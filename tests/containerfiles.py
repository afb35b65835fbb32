"""Containerfiles as texts, and what comes of them, for tests of the build's pure middle."""

from datetime import UTC, datetime

from rootless.build.arguments import BuildArguments
from rootless.build.containerfile import Instruction, parse
from rootless.build.history import created_by
from rootless.build.stages import Plan, plan
from rootless.build.state import StageState, apply, scratch, with_layer
from rootless.oci.descriptor import Platform

NAME = "Containerfile"
PLATFORM = Platform("linux", "amd64", "")
TIME = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


def parsed(text: str) -> tuple[Instruction, ...]:
    """Return the instructions of a whole file."""
    return parse(text.encode(), NAME)


def one(text: str) -> Instruction:
    """Return an instruction that stands in the second line, after a FROM."""
    _, instruction = parsed(f"FROM scratch\n{text}")
    return instruction


def planned(text: str, target: str = "", **given: str) -> Plan:
    """Return the plan of a whole file."""
    return plan(parsed(text), target, given)


def state_after(
    text: str, arguments: BuildArguments | None = None, base: StageState | None = None
) -> StageState:
    """Return what metadata instructions make of a stage, with their history."""
    state = base or scratch(PLATFORM, arguments)
    for instruction in parsed(f"FROM scratch\n{text}")[1:]:
        words = created_by(state, instruction)
        state = with_layer(apply(state, instruction), None, words, TIME)
    return state
