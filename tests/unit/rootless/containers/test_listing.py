"""The containers as `ps` shows them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from living_records import a_record

from rootless.containers import listing
from rootless.containers.listing import Listed, in_order, row, status_text, summary
from rootless.containers.network.network import Network
from rootless.containers.network.ports import PortMapping
from rootless.containers.record import MadeFrom, Record
from rootless.containers.status import LastRun, Live, Status
from rootless.errors import InvalidInput
from rootless.linux.process_id import ProcessId

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
RUNNER = ProcessId(7, 8)


def a_live(word: str, started: str = "2026-01-31T11:58:30Z", **members: object) -> Status:
    """Return the status of one that is alive."""
    live = Live(word, RUNNER, detached=True, started=started)
    return Status(word, replace(live, **members))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status("created"), "Created"),
        (Status("starting"), "Starting"),
        (a_live("running"), "Up 1 minute"),
        (a_live("running", "2026-01-29T11:00:00Z"), "Up 2 days"),
        (a_live("running", "2026-01-31T12:00:00Z"), "Up less than a second"),
        (a_live("running", health="healthy"), "Up 1 minute (healthy)"),
        (a_live("restarting"), "Restarting"),
        (
            Status("exited", last=LastRun("h", "a", "2026-01-31T09:00:00Z", 3)),
            "Exited (3) 3 hours ago",
        ),
        (Status("exited", last=LastRun("h", "a", "", 137)), "Exited (137) (cut off)"),
        (Status("elsewhere", last=LastRun("node7", "a")), "On node7"),
    ],
)
def test_status(status: Status, text: str) -> None:
    """As people read it."""
    assert status_text(status, NOW) == text


def a_listed(**members: object) -> Listed:
    """Return a container that runs and publishes ports."""
    record = a_record(
        image=MadeFrom("localhost/pic:latest", "sha256:" + "1" * 64), labels={"a": "b"}, **members
    )
    ports = (PortMapping(80, 8080, length=2), PortMapping(53, 5353, "::1", "udp"))
    container = replace(record.container, network=Network("pasta", ports=ports))
    return Listed(replace(record, container=container), a_live("running"))


def test_row() -> None:
    """IDs and commands are cut, unless they are wanted in full."""
    cells = row(a_listed(), no_trunc=False)
    assert cells[:2] == ["a" * 12, "localhost/pic:latest"]
    assert cells[5] == "0.0.0.0:8080->80/tcp, 0.0.0.0:8081->81/tcp, [::1]:5353->53/udp"
    assert cells[6] == "n"
    assert len(cells) == len(listing.HEADER)
    assert row(a_listed(), no_trunc=True)[0] == "a" * 64


def test_summary() -> None:
    """The names are podman's."""
    shown = summary(a_listed())
    assert (shown["State"], shown["Pid"], shown["ExitCode"]) == ("running", 0, 0)
    assert shown["Names"] == ["n"]
    assert shown["Ports"][0] == {"Inside": "80/tcp", "Outside": "0.0.0.0:8080"}


def test_orders() -> None:
    """The newest first, unless something else is named."""
    first, second = (
        Listed(a_record("b", "a"), Status("created")),
        Listed(a_record("a", "b"), Status("exited")),
    )
    assert in_order([first, second], "created") == [second, first]
    assert in_order([first, second], "names") == [second, first]
    assert in_order([second, first], "status") == [first, second]
    with pytest.raises(InvalidInput, match="no such order: age"):
        in_order([], "age")


def test_a_record_without_an_image() -> None:
    """A bundle's container is listed all the same."""
    record: Record = a_record()
    assert row(Listed(record, Status("created")), no_trunc=False)[1] == ""
