"""The `hooks` object of a config.json."""

from typing import Any

import pytest

from rootless.errors import InvalidInput
from rootless.oci.document import Node
from rootless.oci.hooks_spec import Hook, Hooks, parse_hooks

ALL = Hooks(
    prestart=(Hook("/a"),),
    create_runtime=(Hook("/b", ("b", "x"), ("A=1",), 1), Hook("/b2")),
    create_container=(Hook("/c", timeout=9),),
    start_container=(Hook("/d", env=("B=",)),),
    poststart=(Hook("/e"),),
    poststop=(Hook("/f"),),
)


@pytest.mark.parametrize("hooks", [ALL, Hooks(), Hooks(poststop=ALL.poststop)])
def test_written_and_read(hooks: Hooks) -> None:
    """What is written reads back as the same."""
    assert parse_hooks(Node(hooks.to_document(), "spec", "hooks")) == hooks


def test_names() -> None:
    """config.md: the six members have these names."""
    assert list(ALL.to_document()) == [
        *("prestart", "createRuntime", "createContainer", "startContainer"),
        *("poststart", "poststop"),
    ]


def test_truth() -> None:
    """Hooks are true where there is one to run."""
    assert ALL
    assert not Hooks()


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"prestart": {}}, "hooks.prestart is not an array"),
        ({"createRuntime": [{}]}, r"hooks.createRuntime\[0\].path is missing"),
        ({"poststop": [{"path": "x"}]}, r"poststop\[0\].path must be an absolute path"),
        ({"poststart": [{"path": "/x", "args": "y"}]}, r"poststart\[0\].args is not an array"),
        ({"poststart": [{"path": "/x", "env": ["A"]}]}, r"poststart\[0\].env\[0\] must have"),
        ({"startContainer": [{"path": "/x", "timeout": 0}]}, "timeout must be greater than zero"),
        ({"startContainer": [{"path": "/x", "timeout": 1.5}]}, "timeout is not an integer"),
    ],
)
def test_faults(document: Any, fault: str) -> None:
    """Each fault is named with its place."""
    with pytest.raises(InvalidInput, match=fault):
        parse_hooks(Node(document, "spec", "hooks"))
