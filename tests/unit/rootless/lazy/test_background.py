"""`rootless.lazy.background`: the rest comes by itself, what was asked for before first."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import images
import lazies
import pytest
import trio
import trio.testing

from rootless.errors import IntegrityError, RegistryError
from rootless.image.store import Store
from rootless.lazy.background import Background
from rootless.lazy.fetch import Fetch
from rootless.lazy.layer import Layer
from rootless.lazy.pace import Pace

FILES = images.LayerBuilder()
for _number in range(60):
    FILES.file(b"file%02d" % _number, os.urandom(100_000))
MADE = lazies.made(FILES)


@pytest.fixture
def folder(store: Store) -> Path:
    """A layer of six megabytes."""
    return MADE.staged(store)


@pytest.fixture
def layer(folder: Path) -> Iterator[Layer]:
    """The same, open."""
    with Layer(folder) as layer:
        yield layer


def background(remote: lazies.Remote, *, is_patient: bool = False) -> tuple[Background, list[str]]:
    """Return a background, and where it notes what it promotes."""
    promoted: list[str] = []

    async def promote(layer: Layer) -> None:
        await trio.lowlevel.checkpoint()
        promoted.append(layer.folder.name)

    return Background(Fetch(remote), Pace(), promote, lambda _: None, is_patient), promoted


def run(made: Background, *layers: Layer) -> None:
    """Run it to its end, by a clock that need not be waited for."""
    trio.run(made.run, layers, clock=trio.testing.MockClock(autojump_threshold=0.01))


def test_everything_comes_and_is_promoted(layer: Layer) -> None:
    """All of the blob is fetched once, from its beginning to its end, in large requests."""
    remote = lazies.Remote(MADE.data)
    made, promoted = background(remote)
    run(made, layer)
    assert layer.is_whole()
    assert promoted == [layer.folder.name]
    assert remote.asked == sorted(remote.asked)
    assert sum(end - start for start, end in remote.asked) == len(MADE.data)
    assert len(remote.asked) < 10
    assert (layer.folder / "kept").read_bytes().count(0) == 0


def test_what_the_first_run_asked_for_comes_first(folder: Path) -> None:
    """The recorded order is kept to, then the order of the tar."""
    with Layer(folder) as layer:
        layer.order.note([50, 20])
    with Layer(folder) as layer:
        remote = lazies.Remote(MADE.data)
        made, _ = background(remote)
        run(made, layer)
        places = [layer.blob_map.runs_for([n], layer.is_there)[0].start for n in (50, 20)]
    assert [asked.start for asked in remote.asked[:2]] == places
    assert remote.asked[2].start == 0


def test_one_of_several_does_it(layer: Layer, folder: Path) -> None:
    """While another has the layer locked nothing is fetched; when he is gone, the rest is."""
    with Layer(folder) as other:
        fcntl.flock(other.blob_fd, fcntl.LOCK_EX)
        remote = lazies.Remote(MADE.data)
        made, promoted = background(remote)

        async def watch() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(made.run, [layer])
                await trio.sleep(10)
                assert not remote.asked
                other.take(layer.blob_map.next_run(0, 8 << 20, layer.is_there), MADE.data)
                fcntl.flock(other.blob_fd, fcntl.LOCK_UN)

        trio.run(watch, clock=trio.testing.MockClock(autojump_threshold=0.01))
    assert promoted == [layer.folder.name]
    assert not remote.asked


@pytest.mark.parametrize("is_patient", [False, True])
def test_what_is_ordinary_by_now_is_left_alone(
    layer: Layer, caplog: pytest.LogCaptureFixture, *, is_patient: bool
) -> None:
    """Who waited for another fetcher finds the folder gone, or it goes while he fetches."""
    remote = lazies.Remote(MADE.data)
    made, promoted = background(remote, is_patient=is_patient)
    made.tell = lambda _: shutil.rmtree(layer.folder, ignore_errors=True)
    run(made, layer)
    asked = list(remote.asked)
    assert asked
    run(made, layer)
    assert remote.asked == asked
    assert not promoted
    assert not caplog.records


def test_a_lost_network_is_waited_for(layer: Layer) -> None:
    """Beside a run it is asked again and again, with pauses; alone that is an error."""
    remote = lazies.Remote(MADE.data, is_down=True)
    made, _ = background(remote)
    with pytest.raises(RegistryError):
        run(made, layer)
    made, promoted = background(remote, is_patient=True)

    async def watch() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(made.run, [layer])
            await trio.sleep(300)
            assert 5 < len(remote.asked) < 30
            remote.is_down = False

    trio.run(watch, clock=trio.testing.MockClock(autojump_threshold=0.01))
    assert promoted == [layer.folder.name]


def test_what_stays_wrong_is_not_promoted(layer: Layer) -> None:
    """The rest is fetched all the same, and each wrong chunk asked for twice, not for ever."""
    place = layer.blob_map.runs_for([30], layer.is_there)[0].start + 50
    remote = lazies.Remote(MADE.data, wrong=100, wrong_at=place)
    made, promoted = background(remote)
    with pytest.raises(IntegrityError, match="wrong digest of a chunk"):
        run(made, layer)
    assert not promoted
    assert layer.absent(range(60)) == [30]
    assert remote.wrong == 98
