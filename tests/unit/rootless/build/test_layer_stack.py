"""`rootless.build.layer_stack`: the same names as in the merged tree, without merging it."""

import random
from pathlib import Path

import copying
import images
import pytest

from rootless.build.destination import Destination
from rootless.build.layer_stack import LayerStack, merged, stack_of

_NAMES = ("a", "b", "c")


def a_layer(chosen: random.Random) -> images.LayerBuilder:
    """Return a layer that a build may make: nothing lies below a link of its own."""
    layer = images.LayerBuilder()
    kinds: dict[str, str] = {}
    for _ in range(chosen.randrange(1, 8)):
        parts = [chosen.choice(_NAMES) for _ in range(chosen.randrange(1, 4))]
        path = "/".join(parts)
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        below = any(each.startswith(path + "/") for each in kinds)
        if path in kinds or any(kinds.get(each, "d") != "d" for each in above):
            continue
        kinds.update({each: kinds.get(each, "d") for each in above})
        kinds[path] = "d" if below else chosen.choice("dflwo")
        if kinds[path] == "d":
            layer.directory(path)
        elif kinds[path] == "f":
            layer.file(path, b"x")
        elif kinds[path] == "l":
            layer.symlink(path, "a/b")
        elif kinds[path] == "w":
            layer.whiteout(path)
        else:
            layer.opaque(path)
            kinds[path] = "d"
    return layer


def every_path() -> list[bytes]:
    """Return all paths that a layer may have."""
    found = list(_NAMES)
    for _ in range(2):
        found += [f"{each}/{name}" for each in found for name in _NAMES]
    return [each.encode() for each in dict.fromkeys(found)]


def kind_of(destination: Destination, path: bytes) -> tuple[int, bytes] | None:
    """Return type and target of what is at a path."""
    seen = destination.look(path)
    return None if seen is None else (seen.mode & 0o170000, seen.target)


@pytest.mark.parametrize("seed", range(12))
def test_as_the_tree_has_it(tmp_path: Path, seed: int) -> None:
    """Links, whiteouts and opaque folders of any layers show what their merged tree shows."""
    chosen = random.Random(seed)
    with copying.Stage(copying.an_empty_store(tmp_path)) as stage:
        for count in range(4):
            stage.on(a_layer(chosen))
            if count == 0:
                merged(stage.store, stage.state.diff_ids)
        stack = stack_of(stage.store, stage.state.diff_ids)
        assert len(stack.above) == 3
        tree = merged(stage.store, stage.state.diff_ids)
        assert not tree.above
        with Destination(stack) as quick, Destination(tree) as slow:
            found = {path: kind_of(quick, path) for path in every_path()}
            assert found == {path: kind_of(slow, path) for path in every_path()}


def test_a_layer_that_extracts_through_its_own_link(tmp_path: Path) -> None:
    """A member below a link of its own layer is where that leads: the tree is merged for it."""
    with copying.Stage(copying.an_empty_store(tmp_path)) as stage:
        stage.on(images.LayerBuilder().directory("real").symlink("l", "real").file("l/f"))
        stack = stack_of(stage.store, stage.state.diff_ids)
        with Destination(stack) as destination:
            assert destination.look(b"real/f") is not None


def test_nothing(tmp_path: Path) -> None:
    """An image without layers has its root."""
    store = copying.an_empty_store(tmp_path)
    assert stack_of(store, ()) == merged(store, ()) == LayerStack()
    with Destination(LayerStack()) as destination:
        assert destination.resolve(b"/x/../y").path == b"y"
        assert destination.resolve(b"/").is_folder
