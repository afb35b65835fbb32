"""--volumes-from: which mounts of another container are lent, and how."""

from dataclasses import replace

import pytest
from living_records import a_record

from rootless.bundle import default_spec
from rootless.bundle.options import RunOptions
from rootless.bundle.volumes import parse_tmpfs, parse_volume
from rootless.containers.record import Record
from rootless.containers.request import RunRequest
from rootless.containers.volumes_from import with_volumes
from rootless.errors import InvalidInput, NotFound
from rootless.oci.runtime_spec import Mount


def mounts(*texts: str) -> tuple[Mount, ...]:
    """Return what --volume makes of some texts."""
    return tuple(parse_volume(text, "/") for text in texts)


OTHERS = {
    "one": (*mounts("/a:/data:ro", "/b:/more"), parse_tmpfs("/memory"), default_spec.HOST_PROC),
    "two": mounts("/c:/data:noexec"),
}


def find(word: str) -> Record:
    """Return the container of a name."""
    if word not in OTHERS:
        raise NotFound("no such container", word)
    record = a_record(word)
    spec = replace(record.container.spec, mounts=OTHERS[word])
    return replace(record, container=replace(record.container, spec=spec))


def found(*texts: str, own: tuple[Mount, ...] = ()) -> tuple[Mount, ...]:
    """Return the mounts of a container that has volumes from others."""
    request = RunRequest(RunOptions(mounts=own), volumes_from=texts)
    return with_volumes(request, find).options.mounts


def test_what_is_lent() -> None:
    """What the host has, with the same options; memory is not lent, nor what is the kernel's."""
    assert found("one") == mounts("/a:/data:ro", "/b:/more")


def test_who_wins() -> None:
    """At one place the last of several, and what is the container's own before all."""
    assert found("one", "two") == mounts("/c:/data:noexec", "/b:/more")
    own = mounts("/mine:/data")
    assert found("two", "one", own=own) == (*mounts("/b:/more"), *own)


def test_other_access() -> None:
    """A word after the colon says whether it may be written to; the other options stay."""
    assert found("two:ro") == mounts("/c:/data:noexec,ro")
    assert found("one:rw,z") == mounts("/a:/data:rw", "/b:/more:rw")


@pytest.mark.parametrize("text", ["one:", "one:rx", "one:ro,rw", "one:ro:rw"])
def test_no_such_access(text: str) -> None:
    """A typing error makes nothing writable: it is refused."""
    with pytest.raises(InvalidInput, match="CONTAINER:ro"):
        found(text)


def test_no_such_container() -> None:
    """It is named."""
    with pytest.raises(NotFound, match="no such container: three"):
        found("one", "three")
