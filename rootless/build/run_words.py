"""What RUN executes: the words of its process, or a script of its own; pure.

Source: the Dockerfile reference, "Here-documents".
"""

from collections.abc import Sequence

from rootless.build.containerfile import Heredoc, Instruction


def script_of(instruction: Instruction) -> Heredoc | None:
    """Return the here-document that a RUN consists of, where it names its own interpreter.

    It is to be written into a file, and executed.
    """
    only = _only(instruction)
    return only if only is not None and only.content.startswith("#!") else None


def run_words(shell: Sequence[str], instruction: Instruction) -> list[str]:
    """Return the words to execute.

    Args:
        shell: What SHELL says.
        instruction: A RUN. A here-document that is all of it is the script; others are the
            shell's to read. One of `script_of` is not for a shell.
    """
    if instruction.is_exec_form:
        return list(instruction.words)
    only = _only(instruction)
    if only is not None:
        return [*shell, only.content]
    (text,) = instruction.words
    return [*shell, text + "".join(f"\n{each.content}{each.name}" for each in instruction.heredocs)]


def _only(instruction: Instruction) -> Heredoc | None:
    heredocs = instruction.heredocs
    if len(heredocs) != 1 or instruction.is_exec_form:
        return None
    (text,) = instruction.words
    # One word and nothing else; one in quotes may have spaces in it.
    quoted = (f"{quote}{heredocs[0].name}{quote}" for quote in ("", "'", '"'))
    alone = {f"{mark}{word}" for word in quoted for mark in ("<<", "<<-")}
    return heredocs[0] if text.strip() in alone else None
