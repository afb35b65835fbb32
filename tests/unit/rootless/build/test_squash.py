"""One layer in place of several: which, and what the history says."""

from rootless.build.squash import _history
from rootless.build.state import StageState


def test_history() -> None:
    """The last step that made a layer is said to have made it all; nothing is forgotten."""
    made = [{"created_by": text} for text in "abcd"]
    history = [made[0], {"created_by": "x", "empty_layer": True}, *made[1:], {"created_by": "y"}]
    history[-1]["empty_layer"] = True
    state = StageState((), {"history": history})
    of_new = [entry.get("empty_layer", False) for entry in _history(state, 1)]
    assert of_new == [False, True, True, True, False, True]
    of_all = [entry.get("empty_layer", False) for entry in _history(state, 0)]
    assert of_all == [True, True, True, True, False, True]
    assert [entry["created_by"] for entry in _history(state, 1)] == list("axbcdy")
    assert "empty_layer" not in made[1]  # the stage's own is as it was
