"""The tree of errors."""

import pytest

from rootless import errors
from rootless.errors import RootlessError


def every_class() -> list[type[RootlessError]]:
    """Return the classes of the tree."""
    found = [RootlessError]
    for known in found:
        found.extend(known.__subclasses__())
    return found


def test_line() -> None:
    """What failed, on what, and what to do: each part only where it is said."""
    assert str(RootlessError("it failed")) == "it failed"
    assert str(RootlessError("it failed", "x")) == "it failed: x"
    assert str(RootlessError("it failed", fix="do so")) == "it failed (do so)"
    assert str(RootlessError("it failed", "x", "do so")) == "it failed: x (do so)"


@pytest.mark.parametrize("kind", every_class(), ids=lambda kind: kind.__name__)
def test_errors_cross_processes(kind: type[RootlessError]) -> None:
    """An error that is sent is raised again with its class, its words and its status."""
    there = RootlessError.from_record(kind("what", "on", "fix").to_record())
    assert type(there) is kind
    assert (there.what, there.on, there.fix) == ("what", "on", "fix")


def test_unknown_class_is_still_an_error() -> None:
    """A record of a class that is not here keeps its words."""
    record = {"class": "Unheard", "what": "w", "on": "o", "fix": "f"}
    assert type(RootlessError.from_record(record)) is RootlessError


def test_the_status_of_a_step_crosses_processes() -> None:
    """What failed in a worker ends the build with that status."""
    error = errors.StepFailed("what", status=7)
    assert RootlessError.from_record(error.to_record()).exit_status == 7
    assert errors.BuildError.exit_status == 125


def test_statuses() -> None:
    """126 and 127 are the workload's; everything else of ours is 125."""
    own = {kind: kind.exit_status for kind in every_class() if kind.exit_status != 125}
    assert own == {errors.CannotExecute: 126, errors.CommandNotFound: 127}


def test_precondition_names_its_check() -> None:
    """The doctor's check goes with the error, not into its line."""
    error = errors.Precondition("no", check="userns")
    assert (error.check, str(error)) == ("userns", "no")


def test_docstring_draws_the_tree() -> None:
    """Every class stands in the module's drawing, below its parent."""
    drawing = errors.__doc__ or ""
    places = {kind: drawing.index(f"{kind.__name__} ") for kind in every_class()}
    assert all(
        places[kind] > places[kind.__mro__[1]] for kind in places if kind is not RootlessError
    )
