"""What the keeper of a RUN does with its pipes."""

import os
import select
from pathlib import Path

import pytest
from images import LayerBuilder

from rootless.build.run_front import Pipes, StepFront
from rootless.errors import RootlessError
from rootless.image.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One that is empty."""
    store = Store(tmp_path / "store", tmp_path / "scratch")
    store.make()
    return store


def test_output_comes_as_it_is(store: Store) -> None:
    """Every byte, in order, until the last writer has gone."""
    pipes, said = Pipes(), []
    front = StepFront(store, pipes, said.append, "RUN x")
    os.write(pipes.said, b"one\xff")
    front.serve({pipes.output: select.POLLIN})
    os.write(pipes.said, b"two\n")
    pipes.close_theirs()
    assert pipes.output in front.interests()
    for _ in range(2):
        front.serve({pipes.output: select.POLLIN})
    assert b"".join(said) == b"one\xfftwo\n"
    assert pipes.output not in front.interests()
    pipes.close()
    pipes.close()


def test_a_layer_is_taken(store: Store) -> None:
    """The tar goes into the store; the end of a pipe that brought none is no layer."""
    pipes = Pipes()
    tar = LayerBuilder().file("a", b"1").tar()
    os.write(pipes.told, tar)
    pipes.close_theirs()
    front = StepFront(store, pipes, lambda _: None, "RUN x")
    front.serve({pipes.layer: select.POLLIN})
    assert front.layer is not None
    assert front.layer.size == len(tar)
    assert pipes.layer not in front.interests()
    front.layer.close()
    pipes.close()
    pipes = Pipes()
    pipes.close_theirs()
    front = StepFront(store, pipes, lambda _: None, "RUN x")
    front.serve({pipes.layer: select.POLLHUP})
    assert front.layer is None
    pipes.close()


def test_a_layer_that_is_cut_off(store: Store) -> None:
    """It is kept in mind until the supervisor has said why; nothing of it stays."""
    pipes = Pipes()
    os.write(pipes.told, LayerBuilder().file("a", b"1").tar()[:700])
    os.close(pipes.told)
    pipes.told = -1
    front = StepFront(store, pipes, lambda _: None, "RUN x")
    front.serve({pipes.layer: select.POLLIN})
    assert front.layer is None
    assert front._error is not None
    assert pipes.layer == -1
    pipes.close()
    assert not [path for path in store.root.rglob(".tmp-*") if path.is_file()]


def test_what_is_lost_fails_the_step(store: Store) -> None:
    """A build does not go on without files of its image, or without its network."""
    pipes = Pipes()
    front = StepFront(store, pipes, lambda _: None, "RUN x")
    with pytest.raises(RootlessError, match="the network ended"):
        front.on_loss("the network ended")
    front.on_change()
    front.on_stopped()
    assert front.patience_ms() is None
    null = os.open(os.devnull, os.O_RDONLY)
    front.on_console(null)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(null)
    pipes.close()
