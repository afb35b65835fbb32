"""`rootless.transfer.lazily`: what a pull leaves where it is, and what it completes."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import images
import lazies
import pytest
import trio

from rootless.image.store import Store
from rootless.lazy import source
from rootless.lazy.source import Origin
from rootless.oci.descriptor import Descriptor
from rootless.oci.reference import Reference
from rootless.transfer.lazily import complete_layer, staging
from rootless.transfer.progress import SilentMeter

MADE = lazies.made(images.LayerBuilder().file("big", os.urandom(1 << 20)))


@dataclass
class Repository:
    """Has the blob."""

    data: bytes

    async def read_range(self, descriptor: Descriptor, offset: int, length: int) -> bytes:
        """Read as a registry does."""
        assert descriptor == MADE.descriptor
        await trio.lowlevel.checkpoint()
        return self.data[offset : offset + length]


def offer() -> Any:
    """Return what a pull has found."""
    reference = Reference("registry.example", "some/image", "1")
    settings = SimpleNamespace(tls_verify=False)
    return SimpleNamespace(reference=reference, repository=Repository(MADE.data), settings=settings)


def test_where_the_rest_will_come_from(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layer remembers its repository, and what the command line said of it."""
    monkeypatch.chdir(tmp_path)
    stage = staging("auth.json", "certs")
    assert trio.run(stage, store, offer(), MADE.descriptor, MADE.diff_id)
    files = str(tmp_path / "auth.json"), str(tmp_path / "certs")
    assert source.read(store.lazy_folder(MADE.diff_id)).origins == (
        Origin("registry.example/some/image", False, *files),
    )


def test_nothing_to_complete(store: Store) -> None:
    """A layer that is not lazy is downloaded as any other."""
    assert not trio.run(complete_layer, store, MADE.diff_id, SilentMeter())


def test_what_cannot_be_completed(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the old origin does not answer, the layer is downloaded from the new one."""
    monkeypatch.setenv("ROOTLESS_LAZY_PATIENCE", "0.2")
    monkeypatch.setattr(lazies, "ORIGIN", lazies.Origin("127.0.0.1:9/some/image", False))
    MADE.staged(store)
    assert not trio.run(complete_layer, store, MADE.diff_id, SilentMeter())
    assert "the layer is downloaded anew" in caplog.text
