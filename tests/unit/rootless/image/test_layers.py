"""The door to `fuse`: what type checkers see is what there is, and nothing is imported unasked."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rootless.image import layers


def test_names_are_where_the_declarations_say() -> None:
    """The declared imports, the list of names and the places are the same."""
    assert layers.__file__ is not None
    tree = ast.parse(Path(layers.__file__).read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {}
    for node in guarded.body:
        assert isinstance(node, ast.ImportFrom)
        for each in node.names:
            module = (node.module or "").removeprefix("fuse").removeprefix(".")
            place = (module, each.name) if module else (each.name, "")
            declared[each.asname or each.name] = place
    assert declared == layers._PLACES
    assert sorted(declared) == sorted(layers.__all__)


@pytest.mark.parametrize("name", layers.__all__)
def test_every_name_is_there(name: str) -> None:
    """Each is what it is in `fuse`."""
    assert getattr(layers, name) is getattr(layers, name)


def test_no_such_name() -> None:
    """Anything else is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="nosuch"):
        layers.nosuch  # noqa: B018 - asked for


def test_nothing_is_imported_unasked() -> None:
    """The door itself opens nothing."""
    code = "import sys, rootless.image.layers; print(*(m for m in sys.modules if 'fuse' in m))"
    words = [sys.executable, "-P", "-c", code]
    assert subprocess.check_output(words, text=True).split() == []
