"""`rootless.lazy.fetch`: each chunk is asked for once, and what is wrong once more."""

import os
from collections.abc import Iterator

import images
import lazies
import pytest
import trio
import trio.testing

from rootless.errors import IntegrityError, RegistryError
from rootless.image.layers import LayerIndexReader
from rootless.image.store import Store
from rootless.lazy.fetch import Fetch
from rootless.lazy.layer import Layer

NAMES = [b"file%02d" % number for number in range(20)]
FILES = images.LayerBuilder()
for _name in NAMES:
    FILES.file(_name, os.urandom(100_000))
MADE = lazies.made(FILES)


@pytest.fixture
def layer(store: Store) -> Iterator[Layer]:
    """A layer of twenty files that do not compress."""
    with Layer(MADE.staged(store)) as layer:
        yield layer


def numbers(layer: Layer, *names: bytes) -> list[int]:
    """Return the chunks of files."""
    with LayerIndexReader(layer.folder / "index") as index:
        runs = [(e.offset, e.size) for e in index.entries() if e.path in names]
    return [number for run in runs for number in layer.numbers(*run)]


def test_what_is_wanted_and_what_lies_behind(layer: Layer) -> None:
    """One request brings a file and its next neighbours; these are not asked for again."""
    remote = lazies.Remote(MADE.data)
    fetch = Fetch(remote)
    first, second, last = (numbers(layer, NAMES[n]) for n in (0, 1, 19))
    trio.run(fetch.ensure, layer, first)
    assert len(remote.asked) == 1
    assert layer.absent(first + second) == []
    assert layer.absent(last) == last
    trio.run(fetch.ensure, layer, first + second)
    assert len(remote.asked) == 1


def test_reading_on_asks_for_more_at_once(layer: Layer) -> None:
    """Who reads file after file waits less and less often."""
    remote = lazies.Remote(MADE.data)
    fetch = Fetch(remote)
    for name in NAMES:
        trio.run(fetch.ensure, layer, numbers(layer, name))
    sizes = [run.end - run.start for run in remote.asked]
    assert len(sizes) < 6
    assert sizes[1] > sizes[0]


def test_two_who_want_the_same(layer: Layer) -> None:
    """The second waits for what the first has asked for."""

    async def both() -> None:
        remote.gate = trio.Event()
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(fetch.ensure, layer, wanted)
            await trio.testing.wait_all_tasks_blocked()
            assert len(remote.asked) == 1
            remote.gate.set()

    wanted = numbers(layer, NAMES[3])
    remote = lazies.Remote(MADE.data)
    fetch = Fetch(remote)
    trio.run(both)
    assert layer.absent(wanted) == []
    assert len(remote.asked) == 1


def test_a_wrong_digest_is_asked_for_once_more(
    layer: Layer, caplog: pytest.LogCaptureFixture
) -> None:
    """A second answer that is right is taken; the log has a line about the first."""
    [number, *_] = numbers(layer, NAMES[4])
    place = layer.blob_map.runs_for([number], layer.is_there)[0].start + 50
    remote = lazies.Remote(MADE.data, wrong=1, wrong_at=place)
    trio.run(Fetch(remote).ensure, layer, [number])
    assert len(remote.asked) == 2
    assert layer.absent([number]) == []
    assert caplog.text.count("wrong digest of a chunk") == 1


def test_what_stays_wrong_is_an_error(layer: Layer) -> None:
    """It is not marked, and the next who asks may have more luck; neighbours are there."""
    [number, *_] = numbers(layer, NAMES[4])
    place = layer.blob_map.runs_for([number], layer.is_there)[0].start + 50
    remote = lazies.Remote(MADE.data, wrong=2, wrong_at=place)
    fetch = Fetch(remote)

    async def ask() -> None:
        with pytest.raises(IntegrityError, match="wrong digest of a chunk"):
            await fetch.ensure(layer, [number])
        assert layer.absent([number]) == [number]
        assert layer.absent(numbers(layer, NAMES[5])) == []
        await fetch.ensure(layer, [number])

    trio.run(ask)
    assert layer.absent([number]) == []


def test_a_lost_network(layer: Layer) -> None:
    """Who waits is told, each of those who want the same; later it works."""
    remote = lazies.Remote(MADE.data, is_down=True)
    fetch = Fetch(remote)
    failures = []

    async def ask() -> None:
        try:
            await fetch.ensure(layer, wanted)
        except RegistryError as error:
            failures.append(error)

    async def both() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            nursery.start_soon(ask)

    wanted = numbers(layer, NAMES[0], NAMES[19])
    trio.run(both)
    assert len(failures) == 2
    remote.is_down = False
    trio.run(fetch.ensure, layer, wanted)
    assert layer.absent(wanted) == []
