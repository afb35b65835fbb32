"""What Go's text/template makes of a document, as podman's and docker's `--format` uses it.

`{{.Config.User}}`, `{{json .}}`, `{{range .Mounts}}{{.Source}} {{end}}`. Values print as Go has
them: `<no value>`, `[a b]`, `map[key:value]`, an object with names to its values as a map too.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from rootless.cli.go_functions import FUNCTIONS, SAFE, called, is_true, text_of
from rootless.cli.go_syntax import Block, Command, Constant, Node, Path, Pipeline, parse
from rootless.errors import InvalidInput

_MOST_PASSES = 100_000  # of a loop over a number
_LABEL = "Label"


def is_template(text: str) -> bool:
    """Tell whether a format is a template, and not a word such as `json`."""
    return "{{" in text


def render(template: str, value: Any) -> str:
    r"""Return the text that a template makes of a document; `\t` and `\n` are what they are in Go.

    Raises:
        InvalidInput: It asks for what is not there, or for what is not understood here.
    """
    return _Run(template).nodes(parse(template), value, {"$": [value]})


_Variables = Mapping[str, list[Any]]


class _Run:
    """A template at work; a variable is a cell, so that inner blocks may set it."""

    def __init__(self, template: str) -> None:
        self._template = template

    def nodes(self, nodes: Sequence[Node], dot: Any, variables: _Variables) -> str:
        """Return the text of nodes, whose variables are theirs."""
        scope = dict(variables)
        found = []
        for node in nodes:
            if isinstance(node, str):
                found.append(node)
            elif isinstance(node, Block):
                found.append(self._block(node, dot, scope))
            else:
                value = self._pipeline(node, dot, scope, safe=False)
                if node.variables:
                    self._set(node, value, scope)
                else:
                    found.append(text_of(value))
        return "".join(found)

    def _block(self, block: Block, dot: Any, variables: _Variables) -> str:
        scope = dict(variables)
        value = self._pipeline(block.pipeline, dot, scope, safe=True)
        if block.kind == "range":
            return self._range(block, value, dot, scope)
        if block.pipeline.variables:
            self._set(block.pipeline, value, scope)
        if not is_true(value):
            return self.nodes(block.otherwise, dot, scope)
        return self.nodes(block.then, value if block.kind == "with" else dot, scope)

    def _range(self, block: Block, value: Any, dot: Any, scope: dict[str, list[Any]]) -> str:
        if isinstance(value, Mapping):
            items = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, int) and not isinstance(value, bool):
            items = [(each, each) for each in range(min(value, _MOST_PASSES))]
        elif isinstance(value, list) or value is None:
            items = list(enumerate(value or ()))
        else:
            raise InvalidInput("no list to range over", text_of(value), self._template)
        if not items:
            return self.nodes(block.otherwise, dot, scope)
        names = block.pipeline.variables
        found = []
        for item in items:
            cells = item if len(names) > 1 else item[1:]
            inner = {**scope, **{name: [cell] for name, cell in zip(names, cells, strict=False)}}
            found.append(self.nodes(block.then, item[1], inner))
        return "".join(found)

    def _set(self, pipeline: Pipeline, value: Any, scope: dict[str, list[Any]]) -> None:
        name = pipeline.variables[0]
        if pipeline.declares:
            scope[name] = [value]
        else:
            self._cell(name, scope)[0] = value

    def _cell(self, name: str, variables: _Variables) -> list[Any]:
        if name not in variables:
            raise InvalidInput("no such variable", name, self._template)
        return variables[name]

    def _pipeline(self, pipeline: Pipeline, dot: Any, variables: _Variables, *, safe: bool) -> Any:
        value: tuple[Any, ...] = ()
        for command in pipeline.commands:
            value = (self._command(command, value, dot, variables, safe=safe),)
        return value[0]

    def _command(
        self,
        command: Command,
        last: tuple[Any, ...],
        dot: Any,
        variables: _Variables,
        *,
        safe: bool,
    ) -> Any:
        function = command.function
        asks = safe or function in SAFE
        given = [self._operand(each, dot, variables, safe=asks) for each in command.given]
        values = [*given, *last]
        if isinstance(function, str):
            return self._called(function, values)
        if isinstance(function, Path) and function.names[-1:] == (_LABEL,) and len(values) == 1:
            whole = Path(function.start, (*function.names[:-1], "Labels"))
            return called("index", [self._operand(whole, dot, variables, safe=safe), *values])
        if values:
            raise InvalidInput("a value is no function", self._template, _KNOWN)
        return self._operand(function, dot, variables, safe=safe)

    def _called(self, name: str, values: Sequence[Any]) -> Any:
        if name not in FUNCTIONS:
            raise InvalidInput("no such function in a format", name, _KNOWN)
        return called(name, values)

    def _operand(
        self, operand: Constant | Path | str, dot: Any, variables: _Variables, *, safe: bool
    ) -> Any:
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, str):
            return self._called(operand, ())
        if isinstance(operand.start, Pipeline):
            value = self._pipeline(operand.start, dot, variables, safe=safe)
        else:
            value = self._cell(operand.start, variables)[0] if operand.start else dot
        for name in operand.names:
            if safe and not _has(value, name):
                return None
            value = _member(value, name, self._template)
        return value


_KNOWN = "there are " + ", ".join(FUNCTIONS)


def field(value: Any, path: str, template: str) -> Any:
    """Return what a dotted path leads to: `.Config.Env`, `.` for all; raises InvalidInput."""
    for name in path.strip(".").split(".") if path.strip(".") else ():
        value = _member(value, name, template)
    return value


def _has(value: Any, name: str) -> bool:
    if isinstance(value, Mapping):
        return name in value or any(name.lower() == key.lower() for key in value)
    return isinstance(value, list) and name.isascii() and name.isdigit()


def _member(value: Any, name: str, template: str) -> Any:
    """Return a member; the case of its name counts only where there are several."""
    if isinstance(value, Mapping):
        for key in chain((name,), (key for key in value if key.lower() == name.lower())):
            if key in value:
                return value[key]
    elif isinstance(value, list) and name.isascii() and name.isdigit():
        return value[int(name)] if int(name) < len(value) else None
    known = ", ".join(value) if isinstance(value, Mapping) else "none"
    raise InvalidInput("no such value", template, f"at {name}; there are: {known}")
