"""`rootless.transfer.made_layers`: what layers became, remembered as long as they are there."""

import images
import pytest

from rootless.image.load import load
from rootless.image.store import Store
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, sha256_of
from rootless.transfer.made_layers import Made, MadeLayers

LAYER = images.small_layer()
DIFF_ID = Digest(images.digest(LAYER.tar()))
MADE = Made(sha256_of(b"1"), 1, "type", {"a": "b"}, sha256_of(b"2"), ("h/a",))


@pytest.fixture
def memory(store: Store, tmp_path_factory: pytest.TempPathFactory) -> MadeLayers:
    """Make the memory of a store with one layer."""
    load(store, str(images.oci_layout(tmp_path_factory.mktemp("l") / "pic", [LAYER])))
    return MadeLayers(store)


def test_what_is_remembered_is_recalled(memory: MadeLayers, store: Store) -> None:
    """By another process too."""
    assert memory.recall(DIFF_ID) == {}
    memory.remember(DIFF_ID, "isal-3", MADE)
    memory.remember(DIFF_ID, "zstd-3", Made(sha256_of(b"3"), 3))
    again = MadeLayers(store)
    assert again.recall(DIFF_ID) == {"isal-3": MADE, "zstd-3": Made(sha256_of(b"3"), 3)}
    assert [diff_id for diff_id, _ in again.all()] == [DIFF_ID, DIFF_ID]


def test_repositories_gather_and_are_few(memory: MadeLayers) -> None:
    """The latest come first; those of other bytes do not count."""
    for i in range(12):
        memory.remember(DIFF_ID, "k", Made(sha256_of(b"1"), 1, repositories=(f"h/{i}",)))
    assert memory.recall(DIFF_ID)["k"].repositories == tuple(f"h/{i}" for i in range(11, 3, -1))
    memory.remember(DIFF_ID, "k", Made(sha256_of(b"2"), 1, repositories=("h/new",)))
    assert memory.recall(DIFF_ID)["k"].repositories == ("h/new",)


def test_blobs_of_a_layer_are_few(memory: MadeLayers) -> None:
    """The latest stay."""
    for i in range(12):
        blob = Descriptor("type", sha256_of(bytes([i])), 1, {"a": "b"})
        memory.remember_came(DIFF_ID, blob, "h/a")
    kept = list(memory.recall(DIFF_ID).values())
    assert [each.digest for each in kept] == [sha256_of(bytes([i])) for i in range(4, 12)]
    assert (kept[0].annotations, kept[0].repositories) == ({"a": "b"}, ("h/a",))


def test_layers_that_are_gone_are_forgotten(memory: MadeLayers) -> None:
    """Nothing grows without an end."""
    gone = sha256_of(b"gone")
    memory.remember(gone, "k", MADE)
    assert memory.recall(gone) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"x": {"k": {"digest": 1}}}', "{", '{"x": [1]}'])
def test_damaged_file_is_none(memory: MadeLayers, store: Store, text: str) -> None:
    """It is a memory, not a record: begun anew."""
    (store.root / "compressed.json").write_text(text)
    assert memory.recall(DIFF_ID) == {}
    memory.remember(DIFF_ID, "k", MADE)
    assert memory.recall(DIFF_ID) == {"k": MADE}
