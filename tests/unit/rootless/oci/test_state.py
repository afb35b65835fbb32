"""The state document (runtime-spec runtime.md, "State")."""

import json

import pytest

from rootless.oci.state import State, Status


def test_all_members() -> None:
    """Every member has the specification's name and type."""
    state = State("c", Status.RUNNING, 7, "/bundle", {"a": "b"})
    assert json.loads(state.to_json()) == {
        "ociVersion": "1.0.2",
        "id": "c",
        "status": "running",
        "pid": 7,
        "bundle": "/bundle",
        "annotations": {"a": "b"},
    }


@pytest.mark.parametrize("status", [Status.CREATING, Status.STOPPED])
def test_no_process_and_no_annotations(status: Status) -> None:
    """Without a process there is no `pid`, and without annotations no member for them."""
    document = State("c", status, 0, "/bundle").to_document()
    assert set(document) == {"ociVersion", "id", "status", "bundle"}


def test_the_four_statuses() -> None:
    """The words are the specification's."""
    assert [str(status) for status in Status] == ["creating", "created", "running", "stopped"]
