"""BuildKit's own parser, in a process of its own.

It is a library in Go, which comes with a run-time of its own: a handful of threads, a gigabyte of
address space, and an end without a word where a limit (`ulimit -v`) refuses that. A process that
goes on to fork containers wants none of it. Its faults name no line, so that the place is looked
for here, with the parser as the judge.
"""

import json
import os
import re
import signal
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, TypedDict

from rootless.errors import Precondition, RootlessError

LONGEST_LINE = 65535  # what is in a longer one is lost to the parser, or taken for the end
UNTERMINATED = "unterminated heredoc"  # in the parser's words
_ONBUILD = r"(?i)\s*ONBUILD(?=\s|$)"
_BACKSLASH, _BACKTICK = "\\", "`"
_MOST_LINES_PARSED = 200_000  # two seconds; a fault in what is longer is told without its line


class Command(TypedDict):
    """An instruction as the parser has it.

    Its members: `cmd` is the keyword as written, "" where a line is continued by nothing; `json`
    tells that the words were a JSON array; `original` is the text, continued lines joined, with
    here-documents below it; lines are counted from 1; `flags` are as written, with the dashes; of
    `value`, the words, quotes and escapes are still there; `heredocs` has of each its name and what
    is in it; `trigger` is what ONBUILD puts off.
    """

    cmd: str
    json: bool
    original: str
    start_line: int
    end_line: int
    flags: list[str]
    value: list[str]
    heredocs: list[list[str]]
    trigger: "Command | None"


class Parsed(TypedDict):
    """What a text says: its escape character and its instructions.

    Or `fault` says why it says nothing, and `line` where; 0 where no one line is to blame.
    """

    escape: str
    commands: list[Command]
    fault: str
    line: int


def parse_texts(texts: Sequence[str], meanwhile: Callable[[], None] | None = None) -> list[Parsed]:
    """Return what each text says, or why it says nothing.

    Args:
        texts: What is parsed.
        meanwhile: Called while another process does that.

    Raises:
        Precondition: The parser is not installed.
        RootlessError: It died.
    """
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    process = os.fork()
    if process == 0:
        _answer(theirs, texts)
    try:
        os.close(theirs)
        if meanwhile is not None:
            meanwhile()
        with open(ours, "rb") as answers:
            answer = answers.read()
    except BaseException:
        os.kill(process, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(process, 0)
    if status != 0:
        fix = "is there a limit on the address space? `ulimit -v` tells"
        raise RootlessError("the parser of Containerfiles died", fix=fix)
    found: list[Parsed] | None = json.loads(answer)
    if found is None:
        fix = "pip install 'rootless[build]'; it is built with Go"
        raise Precondition("the parser of Containerfiles is not installed", "dockerfile", fix)
    return found


def _answer(fd: int, texts: Sequence[str]) -> None:
    """Parse, and write what came of it; does not return."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        with open(fd, "wb") as answer:
            answer.write(json.dumps(answers(texts)).encode())
        status = 0
    finally:
        os._exit(status)


def answers(texts: Sequence[str]) -> list[Parsed] | None:
    """Return what `parse_texts` reads, in this very process; None without a parser."""
    try:
        go = import_module("dockerfile")  # its run-time starts with the import
    except ImportError:
        return None
    return [_parsed(go, text) for text in texts]


def _parsed(go: ModuleType, text: str) -> Parsed:
    text = text.removeprefix("\ufeff")
    lines = text.split("\n")
    head = _head(lines)
    try:
        escape = _escape(go, head)
    except go.GoParseError as error:
        return _fault(str(error), 1)
    try:
        commands = [_row(go, command, lines, escape) for command in go.parse_string(text)]
    except go.GoParseError as error:
        line = 0 if len(head) == len(lines) else _line_of_fault(go, lines, len(head), escape)
        return _fault(str(error), line)
    return {"escape": escape, "commands": commands, "fault": "", "line": 0}


def _fault(what: str, line: int) -> Parsed:
    return {"escape": _BACKSLASH, "commands": [], "fault": what, "line": line}


def _head(lines: list[str]) -> list[str]:
    """Return the comments at the top, which may be directives to the parser."""
    is_comment = (line.lstrip().startswith("#") for line in lines)
    return lines[: next((n for n, each in enumerate(is_comment) if not each), len(lines))]


def _escape(go: ModuleType, head: list[str]) -> str:
    """Return the escape character, which the parser knows and does not tell."""
    if not any("escape" in line.lower() for line in head):
        return _BACKSLASH
    probe = go.parse_string("\n".join([*head, f"RUN a {_BACKTICK}", "b"]))
    return _BACKTICK if len(probe) == 1 else _BACKSLASH


def _row(go: ModuleType, command: Any, lines: list[str], escape: str) -> Command:
    return {
        "cmd": command.cmd or "",
        "json": command.json,
        "original": command.original or "",
        "start_line": command.start_line,
        "end_line": command.end_line,
        "flags": list(command.flags),
        "value": list(command.value),
        "heredocs": [[each.name, each.content] for each in command.heredocs],
        "trigger": _trigger(go, command, lines, escape),
    }


def _trigger(go: ModuleType, command: Any, lines: list[str], escape: str) -> Command | None:
    """Return what ONBUILD puts off, of which the parser gives no flags and here-documents."""
    if not command.sub_cmd:
        return None
    text = "\n".join(lines[command.start_line - 1 : command.end_line])
    inner = re.sub(_ONBUILD, "", text, count=1)
    try:
        found = go.parse_string(f"# escape={escape}\n{inner}")
    except go.GoParseError:  # to the first pass these were words, to this one a comment
        return None
    return _row(go, found[0], [], escape) if len(found) == 1 else None


def _line_of_fault(go: ModuleType, lines: list[str], start: int, escape: str) -> int:
    """Return the line at which the instruction begins that cannot be parsed; 0 for none.

    Instruction by instruction from *start*, each followed by a line that stands alone unless the
    instruction goes on, and that fits in wherever an instruction goes on.
    """
    budget = _MOST_LINES_PARSED
    while start < len(lines):
        if not lines[start].strip() or lines[start].lstrip().startswith("#"):
            start += 1
            continue
        opened = ""  # the text that names the here-documents
        for end in range(start + 1, len(lines) + 1):
            if opened and lines[end - 1].strip() not in opened:
                continue
            budget -= end - start
            if budget < 0:
                return 0
            text = "\n".join([f"# escape={escape}", *lines[start:end], "A=B"])
            try:
                if len(go.parse_string(text)) > 1:
                    start = end
                    break
            except go.GoParseError as error:
                if str(error) != UNTERMINATED:
                    return start + 1
                opened = opened or text
        else:
            return start + 1
    return 0
