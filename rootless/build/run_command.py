"""The words that a RUN starts, and what it gets as a file: Dockerfile reference, "RUN"; pure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rootless.build.containerfile import Instruction

SCRIPTS = "/dev/pipes"  # of the run's own /dev, so that no layer has it


@dataclass(frozen=True, slots=True)
class RunCommand:
    """What a RUN starts.

    Attributes:
        args: Program and arguments.
        script: What is there as a file at `script_path`; empty for none.
        script_path: Absolute; "" for none.
    """

    args: tuple[str, ...]
    script: bytes = b""
    script_path: str = ""


def run_command(instruction: "Instruction", shell: tuple[str, ...]) -> RunCommand:
    """Return what an instruction starts, as BuildKit does it.

    Args:
        instruction: A RUN.
        shell: What the shell form is given to.
    """
    if instruction.is_exec_form:
        return RunCommand(instruction.words)
    text = " ".join(instruction.words)
    documents = instruction.heredocs
    if not documents:
        return RunCommand((*shell, text))
    first = documents[0]
    if len(documents) > 1 or text.strip() not in _only(first.name):
        # the shell reads them, expands them and takes the tabs away
        whole = "".join([text, *(f"\n{each.content}{each.name}" for each in documents)])
        return RunCommand((*shell, whole))
    if not first.content.startswith("#!"):
        return RunCommand((*shell, first.content))
    path = f"{SCRIPTS}/{first.name}"
    return RunCommand((*shell, path), first.content.encode("utf-8", "surrogateescape"), path)


def _only(name: str) -> tuple[str, ...]:
    """Return how a command looks that is nothing but one here-document."""
    quoted = (name, f'"{name}"', f"'{name}'")
    return tuple(f"{mark}{each}" for mark in ("<<", "<<-") for each in quoted)
