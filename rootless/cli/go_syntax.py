"""The syntax of Go's text/template: from a text to a tree of nodes; pure.

Source: the documentation of Go's packages text/template and text/template/parse. There are actions
(`if`, `range`, `with`, pipelines, variables) and no templates inside of templates (`define`).
"""

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from rootless.errors import InvalidInput

_OPEN = re.compile(r"\{\{(-(?=\s))?")
_TOKEN = re.compile(
    r"""\s* (?:
    (?P<close> (?<=\s)-\}\} | \}\})
    | (?P<text> "(?:[^"\\\n]|\\.)*" | `[^`]*`)
    | (?P<number> -?\d+(?:\.\d+)?(?![\w.]))
    | (?P<path> \$\w*(?:\.\w+)* | \.(?:\w+(?:\.\w+)*)?)
    | (?P<word> [A-Za-z_]\w*)
    | (?P<sign> := | [|()=,])
    )""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"\{\{(-\s)?\s*/\*.*?\*/\s*(-?\}\})", re.DOTALL)
_ESCAPES = {r"\t": "\t", r"\n": "\n", "\\\\": "\\"}
_CONSTANTS = {"true": True, "false": False, "nil": None}
_BLOCKS = ("if", "range", "with")
_DEEPEST = 50
_FIX = "--format json and jq do the rest"


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a string, true, false or nil."""

    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class Path:
    """What names lead to: from the dot (""), a variable ("$x"), or a pipeline in brackets."""

    start: "str | Pipeline"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A function, or a value alone, and what it is given."""

    function: "str | Constant | Path"
    given: "tuple[Constant | Path | str, ...]"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given what the one before it returned; what variables get the last value."""

    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    declares: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """`if`, `range` or `with`, up to its `end`."""

    kind: str
    pipeline: Pipeline
    then: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]"


Node = str | Pipeline | Block


def parse(template: str) -> tuple[Node, ...]:
    r"""Return the nodes of a template; `\t` and `\n` in its text are what they are in Go.

    Raises InvalidInput.
    """
    reader = _Reader(template)
    nodes, word = reader.nodes(0)
    if word:
        reader.refuse(f"{{{{{word}}}}} without a beginning")
    return nodes


def plain(text: str) -> str:
    """Return the text between actions as it is shown."""
    return re.sub(r"\\[tn\\]", lambda match: _ESCAPES[match[0]], text)


class _Reader:
    """Reads a template from its front to its end."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._at = 0
        self._start = 0
        self._trims = False
        self._is_open = False
        self._ahead: tuple[str, str] | None = None

    def refuse(self, why: str) -> NoReturn:
        """Raise the error about the action that is read."""
        end = self._template.find("}}", self._start)
        action = self._template[self._start : end + 2 if end >= 0 else None]
        raise InvalidInput(f"not understood in a format ({why})", action or "{{", _FIX)

    def nodes(self, depth: int) -> tuple[tuple[Node, ...], str]:
        """Return the nodes up to an `else` or `end`, and that word; "" for the end of all."""
        if depth > _DEEPEST:
            self.refuse("too deep")
        found: list[Node] = []
        while True:
            found += self._text()
            if not self._is_open:
                return tuple(found), ""
            kind, word = self._peek()
            if kind == "word" and word in ("else", "end"):
                self._next()
                return tuple(found), word
            if kind == "word" and word in _BLOCKS:
                self._next()
                found.append(self._block(word, depth))
            elif kind == "word" and word in ("define", "template", "block", "break", "continue"):
                self.refuse(f"there is no {word}")
            else:
                found.append(self._pipeline())
                self._expect_close()

    def _text(self) -> list[Node]:
        """Read up to the next action, and into it; comments are passed over."""
        found: list[Node] = []
        while True:
            match = _OPEN.search(self._template, self._at)
            end = match.start() if match else len(self._template)
            text = self._template[self._at : end]
            text = text.lstrip() if self._trims else text
            comment = _COMMENT.match(self._template, end)
            trims_left = comment[1] if comment else match is not None and match[1]
            text = text.rstrip() if trims_left else text
            if text:
                found.append(plain(text))
            self._is_open = match is not None
            if match is None:
                self._at = len(self._template)
                return found
            self._start = end
            if comment is None:
                self._at = match.end()
                return found
            self._trims, self._at = comment[2].startswith("-"), comment.end()

    def _block(self, kind: str, depth: int) -> Block:
        begun = self._start
        pipeline = self._pipeline(is_range=kind == "range")
        self._expect_close()
        then, word = self.nodes(depth + 1)
        otherwise: tuple[Node, ...] = ()
        if word == "else":
            following = self._peek()
            if following in (("word", "if"), ("word", "with")):
                self._next()
                return Block(kind, pipeline, then, (self._block(following[1], depth + 1),))
            self._expect_close()
            otherwise, word = self.nodes(depth + 1)
        if word != "end":
            self._start = begun
            self.refuse("without its end")
        self._expect_close()
        return Block(kind, pipeline, then, otherwise)

    def _pipeline(self, *, is_range: bool = False) -> Pipeline:
        variables: tuple[str, ...] = ()
        declares = False
        first = self._operand()
        if isinstance(first, Path) and _is_variable(first):
            variables = (str(first.start),)
            if is_range and self._peek() == ("sign", ","):
                self._next()
                second = self._operand()
                if not (isinstance(second, Path) and _is_variable(second)):
                    self.refuse("no variable")
                variables = (*variables, str(second.start))
            if self._peek() in (("sign", ":="), ("sign", "=")):
                declares = self._next()[1] == ":="
                first = self._operand()
            elif len(variables) > 1:
                self.refuse("nothing for the variables")
            else:
                variables = ()
        commands = [self._command(first)]
        while self._peek() == ("sign", "|"):
            self._next()
            commands.append(self._command(self._operand()))
        return Pipeline(tuple(commands), variables, declares)

    def _command(self, first: "Constant | Path | str") -> Command:
        given = []
        while self._peek()[0] not in ("close", "sign") or self._peek()[1] == "(":
            given.append(self._operand())
        return Command(first, tuple(given))

    def _operand(self) -> "Constant | Path | str":
        kind, word = self._next()
        if kind == "text":
            return Constant(word[1:-1] if word[0] == "`" else self._unquoted(word))
        if kind == "number":
            return Constant(float(word) if "." in word else int(word))
        if kind == "word":
            return Constant(_CONSTANTS[word]) if word in _CONSTANTS else word
        if kind == "path":
            start, *names = word.split(".")
            return Path(start, tuple(filter(None, names)))
        if word != "(":
            self.refuse("nothing to do" if kind == "close" else f"at {word}")
        inner = self._pipeline()
        if self._next() != ("sign", ")"):
            self.refuse("a bracket without its end")
        is_chain = self._template.startswith(".", self._at)
        names = self._next()[1].split(".") if is_chain else []
        return Path(inner, tuple(filter(None, names)))

    def _unquoted(self, word: str) -> str:
        try:
            return str(json.loads(word))  # Go's and JSON's escapes are the same where it matters
        except ValueError:
            return re.sub(r"\\(.)", r"\1", word[1:-1])

    def _peek(self) -> tuple[str, str]:
        if self._ahead is None:
            match = _TOKEN.match(self._template, self._at)
            if match is None:
                self.refuse("without its end" if "}}" not in self._template[self._at :] else "?")
            self._ahead = str(match.lastgroup), match[str(match.lastgroup)]
            self._at = match.end()
        return self._ahead

    def _next(self) -> tuple[str, str]:
        found = self._peek()
        self._ahead = None
        return found

    def _expect_close(self) -> None:
        kind, word = self._next()
        if kind != "close":
            self.refuse(f"at {word}")
        self._trims = word.startswith("-")


def _is_variable(path: Path) -> bool:
    return isinstance(path.start, str) and len(path.start) > 1 and not path.names
