"""Which containers `--filter` means."""

from dataclasses import replace

import pytest
from living_records import a_record

from rootless.containers import filters
from rootless.containers.record import MadeFrom, Record
from rootless.containers.status import LastRun, Live, Status
from rootless.errors import InvalidInput, NotFound
from rootless.linux.process_id import ProcessId
from rootless.oci.runtime_spec import Mount

RUNNING = Status(
    "running", Live("running", ProcessId(7, 8), detached=True, started="", health="healthy")
)


def one(**members: object) -> Record:
    """Return a container with a label and a volume."""
    record = a_record(
        image=MadeFrom("localhost/pic:latest", "sha256:" + "1" * 64), labels={"a": "b"}, **members
    )
    spec = replace(record.container.spec, mounts=(Mount("/in", "bind", "/out", ("rbind",)),))
    return replace(record, container=replace(record.container, spec=spec))


def holds(*texts: str, status: Status = RUNNING, known: tuple[Record, ...] = ()) -> bool:
    """Tell whether filters hold of that container."""
    return all(test(one(), status) for test in filters.tests(texts, known))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("name=n", True), ("name=x", False), ("id=aa", True), ("id=b", False)),
        *(("name=^n$", True), ("name=^/n$", True), ("name=^$", False)),
        *(("label=a", True), ("label=a=b", True), ("label=a=c", False), ("label=x", False)),
        *(("label!=a", False), ("label!=a=c", True)),
        *(("status=running", True), ("status=exited", False), ("status=paused", False)),
        *(("status=stopped", False), ("exited=0", False)),
        *(("ancestor=pic", True), ("ancestor=localhost/pic", True), ("ancestor=1111", True)),
        *(("ancestor=pic:latest", True), ("ancestor=ic", False), ("ancestor=pic:1", False)),
        *(("health=healthy", True), ("health=none", False)),
        *(("volume=/in", True), ("volume=/out", True), ("volume=/", False)),
    ],
)
def test_each(text: str, expected: bool) -> None:  # noqa: FBT001 - what is expected
    """Each by what it names."""
    assert holds(text) == expected


def test_several() -> None:
    """Of one key any, of labels and of several keys all."""
    assert holds("name=x", "name=n")
    assert not holds("label=a", "label=x")
    assert not holds("name=n", "status=exited")


def test_by_the_end() -> None:
    """`stopped` is podman's word."""
    ended = Status("exited", last=LastRun("h", "a", "2026-01-31T09:00:00Z", 3))
    assert holds("status=stopped", "exited=3", status=ended)
    assert not holds("exited=4", status=ended)


def test_before_and_since() -> None:
    """By another's time."""
    later = a_record("later", "e", created="2999-01-01T00:00:00.000000000Z")
    assert holds("before=later", known=(later,))
    assert not holds("since=eeee", known=(later,))
    with pytest.raises(NotFound):
        holds("since=none", known=(later,))


@pytest.mark.parametrize(
    "text", ["colour=red", "name", "status=well", "exited=x", "", "name=(", "health=so"]
)
def test_no_filters(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidInput):
        filters.tests([text], [])


def test_which_mean_all() -> None:
    """What asks for those that have ended shows them."""
    assert filters.are_of_all(["name=a", "status=exited"])
    assert not filters.are_of_all(["label=status"])
