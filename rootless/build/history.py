"""What an image's history says of a step, in the words of docker, podman and buildah; pure."""

from rootless.build.containerfile import Instruction
from rootless.build.run_words import run_words
from rootless.build.state import StageState

_NO_COMMAND = "/bin/sh -c #(nop)"


def created_by(state: StageState, instruction: Instruction, content: str = "") -> str:
    """Return `created_by` of a step's history.

    Args:
        state: Before the step.
        instruction: With its variables replaced, if it is COPY or ADD.
        content: What COPY or ADD read: `file:DIGEST`, `dir:DIGEST`, `multi:DIGEST`.
    """
    keyword = instruction.keyword
    if keyword == "RUN":
        words = " ".join(run_words(state.shell, instruction))
        variables = state.variables
        given = [f"{name}={variables[name]}" for name in sorted(state.args)]
        return " ".join([f"|{len(given)}", *given, words]) if given else words
    if keyword in ("ADD", "COPY"):
        return f"{_NO_COMMAND} {keyword} {content} in {instruction.destination} "
    if keyword == "ARG":  # a value may be a secret of whoever builds
        names = " ".join(word.partition("=")[0] for word in instruction.words)
        return f"{_NO_COMMAND} ARG {names}"
    return f"{_NO_COMMAND} {instruction.source}"
