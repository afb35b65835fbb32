"""The filter of a container that is about to start."""

import logging
from dataclasses import replace

import pytest

from rootless.containers.container import Container
from rootless.containers.prepare import from_image
from rootless.containers.request import RunRequest
from rootless.containers.seccomp import with_filter
from rootless.errors import Precondition
from rootless.image.names import resolve
from rootless.image.store import Store
from rootless.linux.libseccomp import Libseccomp
from rootless.paths import Paths
from rootless.runtime.seccomp import compile_filter


@pytest.fixture
def container(loaded: Paths) -> Container:
    """A container of an image, as `rootless run` makes it."""
    store = Store.open(loaded, create=False)
    return from_image(store, resolve(store, "pic"), RunRequest())


def test_compiled_and_kept(container: Container, loaded: Paths) -> None:
    """The default profile's filter is in the container, and in the run-time folder."""
    assert container.seccomp is None
    asked = container.spec.linux.seccomp
    assert asked is not None
    found = with_filter(container, loaded, required=False)
    assert found.seccomp == compile_filter(asked, Libseccomp())
    assert found.spec == container.spec
    assert len(list((loaded.runtime / "seccomp").iterdir())) == 1


def test_unconfined(container: Container, loaded: Paths) -> None:
    """A spec without seccomp needs no library, and nothing is written."""
    linux = replace(container.spec.linux, seccomp=None)
    free = replace(container, spec=replace(container.spec, linux=linux))
    assert with_filter(free, loaded, required=True) == free
    assert not loaded.runtime.exists()


def test_without_the_library(
    container: Container,
    loaded: Paths,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was asked for is refused; the default profile is left out, which is said once."""
    monkeypatch.setattr(Libseccomp.__init__, "__defaults__", ("libnosuch.so.2",))
    with pytest.raises(Precondition, match="libseccomp"):
        with_filter(container, loaded, required=True)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            found = with_filter(container, loaded, required=False)
            assert found.seccomp is None
            assert found.spec.linux.seccomp is None
    (line,) = caplog.messages
    assert "without a filter of system calls" in line
    assert "libseccomp2" in line
