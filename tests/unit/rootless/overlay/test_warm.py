"""Which lower fits a run; in a child, as what is offered is for good."""

import os
from pathlib import Path

from rootless.overlay import spare, warm
from rootless.overlay.shared import SharedLower, SharedServer
from rootless.userns.idmap import IDMap, Mapping
from rootless.userns.maps import Maps


def test_one_that_shows_the_same_to_the_same_is_found(tmp_path: Path) -> None:
    """Whatever it is called; and no server is started ahead any more."""
    tree, other = tmp_path / "tree", tmp_path / "other"
    tree.touch()
    other.touch()
    one = IDMap((Mapping(0, os.getuid(), 1),))
    two = IDMap((Mapping(1, os.getuid(), 1),))
    maps, more = Maps(one, one, 0, 0, single=True), Maps(two, two, 1, 1, single=True)
    lower = SharedLower(tree, -1, -1, SharedServer(-1, -1, ""))
    pid = os.fork()
    if pid == 0:
        warm.offer({f"{warm.key_of(tree, (tree,), maps)} name": lower})
        warm.note("image")
        found = [
            warm.find(tree, (tree,), maps) is lower,
            warm.find(other, (tree,), maps) is None,
            warm.find(tree, (), maps) is None,
            warm.find(tree, (tree,), more) is None,
            warm.noted() == ["image"],
            spare.is_put_off(),
        ]
        os._exit(0 if all(found) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
