"""`rootless.build.content_digest`: what makes a digest another one, and what is not read again."""

import os
import time
from pathlib import Path

import copying
import pytest

from rootless.build import content_digest
from rootless.build.content_digest import Memory, forget, stat_digest
from rootless.build.ignore import Ignore
from rootless.build.selection import Picked, pick
from rootless.build.tree_source import open_layers


def picked(stage: copying.Stage, folder: Path, word: str = ".") -> list[Picked]:
    """Return what a word means in a folder."""
    return pick(stage.context(folder), word, Ignore())


def test_what_counts(stage: copying.Stage, tmp_path: Path) -> None:
    """Contents, names, permissions, links and attributes do; times and set-ID bits do not."""
    folder = tmp_path / "c"
    stage.context(folder, ("d/a", "d/b", "l -> d"))
    os.link(folder / "d/a", folder / "d/same")

    def now() -> str:
        return content_digest.content_digest(picked(stage, folder))

    seen = [now()]
    os.utime(folder / "d/a", (0, 0))
    (folder / "d/b").chmod(0o6644)
    assert now() == seen[0]
    for change in (
        lambda: (folder / "d/b").chmod(0o600),
        lambda: (folder / "d/b").write_text("other"),
        lambda: (folder / "d/b").rename(folder / "d/c"),
        lambda: os.setxattr(folder / "d/a", "user.x", b"y"),
        (folder / "empty").mkdir,
        lambda: ((folder / "l").unlink(), (folder / "l").symlink_to("d/a")),
        lambda: ((folder / "d/same").unlink(), (folder / "d/same").write_text("d/a")),
    ):
        change()
        seen.append(now())
    assert len(set(seen)) == len(seen)


def test_a_stage_has_the_digest_of_its_context(stage: copying.Stage, tmp_path: Path) -> None:
    """The same files give the same digest, whatever has them."""
    context = stage.context(tmp_path / "c", ("d/a", "d/s/b"))
    stage.do("COPY d /x", context)
    with open_layers(stage.store, stage.state.diff_ids, "0") as source:
        first = content_digest.content_digest(pick(source, "x", Ignore()))
    assert first == content_digest.content_digest(pick(context, "d", Ignore()))


def test_what_is_settled_is_read_once(
    stage: copying.Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files whose status is as it was are not read; those that changed just now always are."""
    folder = tmp_path / "c"
    stage.context(folder, ("d/a", "d/b"))
    things = picked(stage, folder)
    assert stat_digest(things) == ""
    memory = Memory(stage.store)
    digest = memory.digest(things)
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + 10 * 10**9)
    assert memory.digest(things) == digest
    with monkeypatch.context() as patch:
        patch.setattr(content_digest, "content_digest", lambda _: pytest.fail("read again"))
        assert memory.digest(picked(stage, folder)) == digest
    monkeypatch.setattr(time, "time_ns", lambda: now_ns)
    (folder / "d/b").write_text("B")
    assert memory.digest(picked(stage, folder)) != digest
    forget(stage.store)
    assert not list((stage.store.root / content_digest.FOLDER).iterdir())
    forget(stage.store)


def test_few_are_kept(
    stage: copying.Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest of many are forgotten, and one that is damaged is no digest."""
    monkeypatch.setattr(content_digest, "_KEPT", 2)
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + 10 * 10**9)
    memory = Memory(stage.store)
    names = [f"f{number}" for number in range(5)]
    stage.context(tmp_path / "c", names)
    digests = [memory.digest(picked(stage, tmp_path / "c", name)) for name in names]
    kept = list((stage.store.root / content_digest.FOLDER).iterdir())
    assert len(kept) == 2
    for path in kept:
        path.write_text("damaged")
    assert memory.digest(picked(stage, tmp_path / "c", "f4")) == digests[4]
