"""Documents and lists of them as `--format` wants them: JSON, or a line made by a template each."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rootless.cli import table
from rootless.cli.go_syntax import parse
from rootless.cli.go_template import is_template, render
from rootless.errors import InvalidInput

_TABLE = "table "
_NAME = re.compile(r"\.(\w+(?:\.\w+)*)")


def formatted(document: Any, form: str) -> str:
    """Return a document as JSON or by a template; raises InvalidInput for another format."""
    if form == "json":
        return json.dumps(document, indent=2, ensure_ascii=False)
    if is_template(form):
        return render(form, document)
    raise InvalidInput("no such format", form, "json or a template")


def check_list_format(form: str) -> None:
    """Raise InvalidInput where a list cannot be printed so, be there anything in it or not."""
    if form in ("table", "json"):
        return
    if is_template(form):
        parse(form)
    else:
        raise InvalidInput("no such format", form, "table, json or a template")


def template_lines(
    documents: Iterable[Mapping[str, Any]], form: str, *, heading: bool = True
) -> list[str]:
    """Return a line for each; with `table ` before the template in columns, under a heading."""
    if not form.startswith(_TABLE):
        return [render(form, each) for each in documents]
    cells = form.removeprefix(_TABLE).replace("\\t", "\t").split("\t")
    header = [" ".join(_NAME.findall(cell)).upper() for cell in cells]
    found = table.lines(header, [[render(cell, each) for cell in cells] for each in documents])
    return found if heading else found[1:]


def indented(document: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """Yield the lines of a document for people."""
    for key, value in document.items():
        start = f"{'  ' * depth}{key}:"
        if isinstance(value, Mapping):
            yield start
            yield from indented(value, depth + 1)
        elif isinstance(value, list):
            yield f"{start} {', '.join(map(str, value))}".rstrip()
        else:
            yield f"{start} {json.dumps(value) if isinstance(value, bool) else value}".rstrip()
