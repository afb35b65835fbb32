"""The shell blocks of a page of the documentation, and the script that runs them.

A block is run as it stands, in bash, from the page's first to its last in one shell. What cannot be
run has a comment directly above it, whose reason is one of `REASONS`:

    <!-- not run: needs a GPU -->

A line whose comment speaks of Ctrl-C is ended by it. A block of ```text directly below a block of
```sh is what that prints, where `…` stands for anything.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REASONS = (
    "needs root",
    "needs the Internet",
    "needs a service manager",
    "needs a second machine",
    "needs a GPU",
    "needs a cluster",
    "needs podman",
    "takes minutes",
)
MARK = "\x1e"
INTERRUPT_S = 1

_FENCE = re.compile(r"```(\w*)")
_NOT_RUN = re.compile(r"<!-- not run: (.*) -->")
_TO_INTERRUPT = re.compile(r"(.*?)\s+# .*Ctrl-C.*")
_PROLOGUE = (
    "set -Eeuo pipefail",
    f'interrupt() {{ timeout --foreground -k 60 -s INT {INTERRUPT_S} "$@"; }}',
    'until_interrupted() { interrupt "$@" || [ $? = 124 ]; }',
    f"mark() {{ printf '{MARK}%s{MARK}' \"$1\"; }}",
    """trap 'printf "\\nline %s: status %s: %s\\n" "$LINENO" "$?" "$BASH_COMMAND"' ERR""",
    "PS4='line $LINENO: '",
    'exec 9>"$TRACE"; BASH_XTRACEFD=9',
    "unset TRACE",
    "set -x",
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of shell commands.

    Attributes:
        line: Number of its first line in the page, from 1 on.
        lines: Its lines.
        not_run: Why it is not run; empty for one that is.
        output: What it prints, where the page shows it.
    """

    line: int
    lines: tuple[str, ...]
    not_run: str
    output: str | None


def blocks_of(text: str) -> list[Block]:
    """Return the shell blocks of a page, in order."""
    found = list(_fenced(text.splitlines()))
    return [
        Block(
            line,
            lines,
            _reason(text.splitlines()[line - 3]) if line > 2 else "",
            _output_below(text, line + len(lines), found[number + 1 : number + 2]),
        )
        for number, (language, line, lines) in enumerate(found)
        if language == "sh"
    ]


def script_of(text: str, places: Mapping[str, Path]) -> str:
    """Return a script whose line numbers are the page's.

    Args:
        text: The page.
        places: Folders that stand in for those of a machine that the page speaks of: `/sw`.
    """
    script = [""] * (text.count("\n") + 1)
    script[0] = "; ".join(_PROLOGUE)
    for number, block in enumerate(blocks_of(text)):
        if block.not_run:
            continue
        end = block.line + len(block.lines)
        script[block.line - 2] = f"mark {number}"
        script[block.line - 1 : end - 1] = [_runnable(line, places) for line in block.lines]
        script[end - 1] = "mark end"
    return "\n".join(script) + "\n"


def outputs_of(said: str) -> dict[int, str]:
    """Return what each block printed, by its number, out of all that the script said."""
    pieces = said.split(MARK)
    marks = zip(pieces[1::2], pieces[2::2], strict=False)
    return {int(mark): text for mark, text in marks if mark != "end"}


def fits(shown: str, printed: str) -> bool:
    """Tell whether an output is what a page shows; spaces count as one, `…` is anything."""
    wanted = ".*".join(re.escape(part) for part in " ".join(shown.split()).split("…"))
    return re.fullmatch(wanted, " ".join(printed.split()), re.DOTALL) is not None


def _fenced(lines: list[str]) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Yield language, number of the first line, and lines of every block."""
    begin, language = 0, ""
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if not fence:
            continue
        if begin:
            yield language, begin, tuple(lines[begin - 1 : number - 1])
            begin = 0
        else:
            begin, language = number + 1, fence[1]


def _reason(line: str) -> str:
    found = _NOT_RUN.fullmatch(line)
    return found[1] if found else ""


def _output_below(
    text: str, fence: int, following: list[tuple[str, int, tuple[str, ...]]]
) -> str | None:
    """Return the lines of the next block, where it is one of text and nothing is between."""
    for language, line, lines in following:
        between = text.splitlines()[fence : line - 2]
        if language == "text" and not "".join(between).strip():
            return "\n".join(lines)
    return None


def _runnable(line: str, places: Mapping[str, Path]) -> str:
    for place, folder in places.items():
        line = re.sub(rf"(?<![\w./~$}}]){place}(?=[/,:\s]|$)", str(folder), line)
    found = _TO_INTERRUPT.fullmatch(line)
    return f"until_interrupted {found[1]}" if found else line
