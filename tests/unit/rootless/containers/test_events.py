"""What happens to containers, between two looks."""

from dataclasses import replace

import pytest
from living_records import a_record

from rootless.containers import events
from rootless.containers.events import Event
from rootless.containers.record import MadeFrom
from rootless.containers.status import LastRun, Status
from rootless.errors import InvalidInput

ONE = a_record(labels={"a": "b"}, image=MadeFrom("pic"))
MADE = (ONE, "", Status("created"))
RUNS = (ONE, "2026-01-31T11:58:30Z", Status("running"))
RUNS_AGAIN = (ONE, "2026-01-31T12:00:00Z", Status("running"))
ENDED = (ONE, "", Status("exited", last=LastRun("h", "a", "2026-01-31T09:00:00Z", 3)))


@pytest.mark.parametrize(
    ("before", "now", "actions"),
    [
        (None, MADE, ["create"]),
        (None, RUNS, ["create", "start"]),
        (MADE, RUNS, ["start"]),
        (RUNS, RUNS, []),
        (RUNS, ENDED, ["die"]),
        (RUNS, RUNS_AGAIN, ["die", "start"]),
        (RUNS, None, ["die", "remove"]),
        (ENDED, None, ["remove"]),
    ],
)
def test_between(before: events.Seen | None, now: events.Seen | None, actions: list[str]) -> None:
    """Each change is told, in the order in which it came."""
    looks = [{"x": each} if each is not None else {} for each in (before, now)]
    assert [each.action for each in events.between(*looks)] == actions


def test_filters() -> None:
    """Docker's word for an end and podman's; labels with their values or without."""
    died = Event("die", ONE, 1_500_000_000, 3)
    for texts in (
        ["event=died"],
        ["event=die", "event=x"],
        ["label=a", "label=a=b"],
        ["image=pic"],
    ):
        assert events.holds(died, events.wanted(texts))
    for texts in (["event=start"], ["label=a", "label=c"], ["container=x"]):
        assert not events.holds(died, events.wanted(texts))
    with pytest.raises(InvalidInput, match="not a filter"):
        events.wanted(["colour=red"])


def test_as_others_print_it() -> None:
    """The names of both, and a line."""
    shown = events.document(Event("die", replace(ONE, name="web"), 1_500_000_000, 3))
    assert (shown["Action"], shown["Status"], shown["time"]) == ("die", "died", 1)
    assert shown["Actor"]["Attributes"] == {
        "a": "b",
        "image": "pic",
        "name": "web",
        "exitCode": "3",
    }
    assert "container create" in events.line(Event("create", ONE, 0))
