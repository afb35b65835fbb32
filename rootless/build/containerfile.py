"""A Containerfile as a list of instructions, each of them possible by its form.

What is in quotes, and what a variable stands for, is not known yet: `expand` reads that where an
instruction is applied, in a stage that has the variables.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from rootless.build import parser
from rootless.build.grammar import NO_TRIGGERS, GrammarFault, check, form_of, read_flags
from rootless.build.parser import Command, Parsed
from rootless.errors import BuildError, RootlessError, StepFailed

MAX_BYTES = 4 << 20
_MOST_INSTRUCTIONS = 10_000  # each is a line of the image's history, and a file of the cache
_LONGEST_SHOWN = 200
# Patterns of what few files have: compiled when they are needed.
_WORD = r"(?:'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|[^\s'\"\\])+"
_HEREDOC = r"\d*<<(-?)([^<]+)"
_QUOTING = r"['\"\\]"
_TABS = r"(?m)^\t+"
_PAIRS = "NAME=VALUE, with quotes around a value with spaces"
_PLAIN_WORD = "name it by one plain word"
_FAULTS = (  # of the parser: its words, ours, what to do
    (parser.UNTERMINATED, "a here-document has no end", "its word must stand alone in a line"),
    (r"(ENV|LABEL) must have two arguments", r"\1 lacks a value", _PAIRS),
    (r"can't find = in (\".*\")", r"no = in \1", _PAIRS),
    (
        "arrays must be comprised of strings only",
        "a JSON array with something else than strings",
        "put each word in double quotes",
    ),
    (
        r"invalid escape token '(.*)' does not match",
        r"\1 cannot be the escape character",
        "# escape=\\ or # escape=`",
    ),
    ("only one (\\w+) parser directive", r"# \1= is there twice", "keep one"),
    ("no instructions", "nothing to build", "the first instruction is FROM IMAGE"),
)


def shown(text: str) -> str:
    """Return a text for a line on a terminal: cut, and without what controls one."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return line if len(line) <= _LONGEST_SHOWN else line[:_LONGEST_SHOWN] + "…"


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A here-document.

    Attributes:
        name: The word that ends it; of a COPY the name of the file.
        content: What is in it; without tabs before each line where `<<-` says so.
        expand: Variables in it are replaced, by COPY and ADD; no part of its word was quoted.
        word: Which of the words of a COPY or ADD it stands for; those of RUN are one.
    """

    name: str
    content: str
    expand: bool
    word: int = 0


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: In upper case.
        flags: Names and values in their order; one without a value has "true".
        words: As written: quotes, escapes and variables are in them. Of ENV and LABEL names and
            values in turn; of RUN, CMD, ENTRYPOINT in the shell's form one word, of HEALTHCHECK
            one after CMD. Of ONBUILD the text that goes into the config.
        is_exec_form: The words were a JSON array.
        heredocs: Here-documents, in their order.
        line: Its first line in the file.
        end_line: Its last.
        source: Its text in one line, without here-documents.
        file: The file, as the user named it.
        escape: The character that escapes in its words.
    """

    keyword: str
    flags: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    is_exec_form: bool
    heredocs: tuple[Heredoc, ...]
    line: int
    end_line: int
    source: str
    file: str
    escape: str = "\\"

    def flag(self, name: str) -> str:
        """Return the value of a flag; "" where it is not there."""
        return dict(self.flags).get(name, "")

    @property
    def sources(self) -> "tuple[str | Heredoc, ...]":
        """Of COPY and ADD what is copied; a here-document stands for itself."""
        heredocs = {each.word: each for each in self.heredocs}
        words = self.words[:-1]
        return tuple(heredocs.get(number, word) for number, word in enumerate(words))

    @property
    def destination(self) -> str:
        """Of COPY and ADD where to."""
        return self.words[-1]

    def fault(self, what: str, on: str = "", fix: str = "") -> BuildError:
        """Return the error that says what is wrong with it, and where it stands."""
        return BuildError(f"{self.file}:{self.line}: {what}", shown(on), fix)

    @contextmanager
    def blamed(self, *kinds: type[RootlessError]) -> Iterator[None]:
        """Say where in the file it stands what comes out of the block, if it is of these kinds."""
        try:
            yield
        except BuildError:  # has its place already
            raise
        except kinds as error:
            raise self.fault(error.what, error.on, error.fix) from error

    def failed(self, status: int) -> StepFailed:
        """Return the error that says with which status its command ended."""
        what = f"{self.file}:{self.line}: exit status {status}"
        return StepFailed(what, shown(self.source), status=status)


def parse(
    data: bytes, name: str, meanwhile: Callable[[], None] | None = None
) -> tuple[Instruction, ...]:
    """Return the instructions of a Containerfile.

    Args:
        data: The whole file.
        name: What errors call it.
        meanwhile: Called while the parser is at work.

    Raises:
        BuildError: One of them is wrong; the error has its line.
        Precondition: The parser is not installed.
    """
    text = _text(data, name)
    (parsed,) = parser.parse_texts([text], meanwhile)
    count = len(parsed["commands"])
    if count > _MOST_INSTRUCTIONS:
        raise BuildError(
            f"{name}: too many instructions", str(count), f"at most {_MOST_INSTRUCTIONS}"
        )
    return tuple(_instructions(parsed, text, name, 0))


def parse_triggers(triggers: Sequence[str], image: str) -> tuple[Instruction, ...]:
    """Return what the ONBUILD instructions of an image put off.

    Args:
        triggers: As the image's config has them.
        image: Its name, for errors, which give the number of the trigger as the line.

    Raises:
        BuildError: One of them is wrong.
    """
    if not triggers:
        return ()
    name = f"ONBUILD of {image}"
    texts = [_text(each.encode("utf-8", "surrogatepass"), name) for each in triggers]
    found: list[Instruction] = []
    for number, parsed in enumerate(parser.parse_texts(texts)):
        found += _instructions(parsed, texts[number], name, number)
    for instruction in found:
        _refuse_as_trigger(instruction, instruction.keyword)
    return tuple(found)


def _text(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise BuildError(f"{name}: longer than a Containerfile can be", f"{MAX_BYTES} bytes")
    lengths = map(len, data.split(b"\n") if len(data) > parser.LONGEST_LINE else ())
    long = next((n for n, length in enumerate(lengths, 1) if length > parser.LONGEST_LINE), 0)
    if long:
        raise BuildError(f"{name}:{long}: a line of more than {parser.LONGEST_LINE} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BuildError(f"{name}:{line}: not valid UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BuildError(f"{name}:{line}: a NUL character, which no Containerfile can have")
    return text


def _instructions(parsed: Parsed, text: str, name: str, before: int) -> Iterator[Instruction]:
    if parsed["fault"]:
        line = parsed["line"]
        place = f"{name}:{before + line}" if line else name
        what, fix = _said(parsed["fault"])
        on = text.split("\n")[line - 1] if line else ""
        raise BuildError(f"{place}: {what}", shown(on.strip()), fix)
    for command in parsed["commands"]:
        yield _instruction(command, name, before, parsed["escape"])


def _instruction(command: Command, name: str, before: int, escape: str) -> Instruction:
    keyword = command["cmd"].upper()
    made = Instruction(
        keyword=keyword,
        flags=(),
        words=tuple(command["value"]),
        is_exec_form=command["json"],
        heredocs=(),
        line=command["start_line"] + before,
        end_line=command["end_line"] + before,
        source=_source(command),
        file=name,
        escape=escape,
    )
    try:
        form_of(keyword)
        if keyword == "ONBUILD":
            return replace(made, words=(_trigger(made, command),), is_exec_form=False, heredocs=())
        flags = read_flags(keyword, command["flags"])
        made = replace(made, flags=flags, heredocs=_heredocs(command))
        check(keyword, made.words, is_json=made.is_exec_form)
    except GrammarFault as fault:
        raise made.fault(*fault.args) from fault
    return made


def _trigger(instruction: Instruction, command: Command) -> str:
    """Return what ONBUILD puts off, as a config has it: a Containerfile of one instruction."""
    if command["trigger"] is None:
        form = form_of("ONBUILD")
        raise instruction.fault(f"ONBUILD lacks {form.needs}", fix=form.usage)
    inner = command["trigger"]
    before = instruction.line - inner["start_line"]
    put_off = _instruction(inner, instruction.file, before, instruction.escape)
    _refuse_as_trigger(instruction, put_off.keyword)
    return inner["original"].rstrip("\n") if inner["heredocs"] else put_off.source


def _refuse_as_trigger(instruction: Instruction, keyword: str) -> None:
    if keyword in NO_TRIGGERS:
        raise instruction.fault("ONBUILD cannot put this off", keyword)


def _source(command: Command) -> str:
    lines = command["original"].strip().split("\n")
    return lines[0].rstrip() if command["heredocs"] else " ".join(lines)


def _heredocs(command: Command) -> tuple[Heredoc, ...]:
    """Return the here-documents, with what the words that name them say of them."""
    if not command["heredocs"]:
        return ()
    is_run = len(command["value"]) == 1
    words = re.findall(_WORD, command["value"][0]) if is_run else command["value"]
    marks = ((number, re.fullmatch(_HEREDOC, word)) for number, word in enumerate(words))
    named = [(number, mark) for number, mark in marks if mark is not None]
    found: list[Heredoc] = []
    for name, content in command["heredocs"]:
        while named and re.sub(_QUOTING, "", named[0][1][2]) != name:
            named.pop(0)
        if not named:
            raise GrammarFault("a here-document whose word cannot be told", name, _PLAIN_WORD)
        number, mark = named.pop(0)
        text = re.sub(_TABS, "", content) if mark[1] else content
        found.append(Heredoc(name, text, mark[2] == name, 0 if is_run else number))
    return tuple(found)


def _said(what: str) -> tuple[str, str]:
    """Return a fault of the parser's in our words, and what to do."""
    for pattern, ours, fix in _FAULTS:
        match = re.search(pattern, what)
        if match is not None:
            return shown(match.expand(ours)), fix
    return shown(what), ""
