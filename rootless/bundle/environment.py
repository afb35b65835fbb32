"""`--env` and `--env-file`: variables with a value, or taken from the caller's environment."""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rootless.errors import InvalidInput, NotFound


def expand(items: Iterable[str], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield NAME=VALUE for each item: NAME=VALUE itself, NAME or NAME* out of `environ`."""
    for item in items:
        name, equals, _ = item.partition("=")
        if not name or "\0" in item:
            raise InvalidInput("not a variable", item, "NAME=VALUE, NAME or PREFIX*")
        if equals:
            yield item
        elif "*" in name:
            yield from (f"{n}={v}" for n, v in environ.items() if fnmatch.fnmatchcase(n, name))
        elif name in environ:
            yield f"{name}={environ[name]}"


def read_file(path: str) -> list[str]:
    """Return the items of a file of variables or labels: one a line, `#` begins a comment line."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("no such file", path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the file: {error}", path) from error
    lines = (line.lstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
