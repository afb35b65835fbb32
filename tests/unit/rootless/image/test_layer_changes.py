"""`rootless.image.layer_changes`: what each layer adds, changes, deletes and wastes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import images
import pytest

from rootless.errors import IntegrityError, NotFound
from rootless.image import layer_changes, names
from rootless.image.layer_changes import LayerView
from rootless.image.load import load
from rootless.image.store import Store
from rootless.oci.image_config import History


def views_of(store: Store, tmp_path: Path, layers: Sequence[images.Layer]) -> list[LayerView]:
    """Load an image of these layers and return what is said of them."""
    folder = images.oci_layout(tmp_path / "layout", layers)
    load(store, str(folder), name="a")
    return layer_changes.views(store, names.resolve(store, "a"))


def lines(view: LayerView) -> list[tuple[str, str, int, int]]:
    """Return kind, path, size and hidden bytes of each change."""
    return [(each.kind, each.path.decode(), each.size, each.hidden) for each in view.changes]


def lower() -> images.LayerBuilder:
    """A layer with a folder of files, one of which has two names."""
    return (
        images.LayerBuilder()
        .directory("etc")
        .file("etc/big", b"x" * 1000)
        .file("etc/kept", b"kept")
        .directory("opt")
        .file("opt/one", b"1" * 10)
        .hard_link("opt/two", "opt/one")
        .directory("opt/sub")
        .file("opt/sub/deep", b"2" * 5)
    )


def test_the_lowest_layer_adds_everything(store: Store, tmp_path: Path) -> None:
    """A file of two names counts once, and nothing is wasted."""
    (view,) = views_of(store, tmp_path, [lower()])
    assert lines(view) == [
        ("A", "etc", 0, 0),
        ("A", "etc/big", 1000, 0),
        ("A", "etc/kept", 4, 0),
        ("A", "opt", 0, 0),
        ("A", "opt/one", 10, 0),
        ("A", "opt/sub", 0, 0),
        ("A", "opt/sub/deep", 5, 0),
        ("A", "opt/two", 0, 0),
    ]
    assert (view.added, view.wasted) == (1019, 0)
    assert layer_changes.efficiency([view]) == 1
    assert view.step.created_by == "tests/images.py"


def test_what_is_replaced_or_deleted_is_wasted(store: Store, tmp_path: Path) -> None:
    """The layer that hides bytes wastes them; of a deleted folder only its name is told."""
    upper = images.LayerBuilder().directory("etc").file("etc/big", b"small").whiteout("opt")
    views = views_of(store, tmp_path, [lower(), upper])
    assert lines(views[1]) == [
        ("C", "etc", 0, 0),
        ("C", "etc/big", 5, 1000),
        ("D", "opt", 0, 15),
    ]
    assert layer_changes.hidden_paths(views, 1) == [(b"etc/big", 1000, 1)]
    assert layer_changes.efficiency(views) == pytest.approx(1 - 1015 / 1024)


def test_a_file_that_keeps_a_name_is_not_wasted(store: Store, tmp_path: Path) -> None:
    """Only when the last name of a file goes are its bytes hidden."""
    first, second = images.LayerBuilder(), images.LayerBuilder()
    first.whiteout("opt/one")
    second.whiteout("opt/two")
    views = views_of(store, tmp_path, [lower(), first, second])
    assert lines(views[1]) == [("D", "opt/one", 0, 0)]
    assert lines(views[2]) == [("D", "opt/two", 0, 10)]


def test_whiteouts_concern_lower_layers_only(store: Store, tmp_path: Path) -> None:
    """What a layer deletes and brings again is changed; an opaque folder deletes what it held."""
    upper = images.LayerBuilder().directory("opt").opaque("opt").file("opt/one", b"new")
    views = views_of(store, tmp_path, [lower(), upper])
    assert lines(views[1]) == [
        ("C", "opt", 0, 0),
        ("C", "opt/one", 3, 10),
        ("D", "opt/sub", 0, 5),
        ("D", "opt/two", 0, 0),
    ]
    assert views[1].wasted == 15


def test_steps_fit_the_layers(store: Store, tmp_path: Path) -> None:
    """Steps without a layer are left out; a history of another length says nothing."""
    folder = images.oci_layout(tmp_path / "layout", [lower(), lower()])
    load(store, str(folder), name="a")
    config = names.resolve(store, "a").config
    steps = (History(created_by="1"), History(created_by="ENV", empty_layer=True))
    full = replace(config, history=(*steps, History(created_by="2")))
    assert [step.created_by for step in layer_changes.steps_of_layers(full)] == ["1", "2"]
    short = replace(config, history=steps)
    assert layer_changes.steps_of_layers(short) == (History(), History())


def test_a_layer_or_index_that_is_not_there(store: Store, tmp_path: Path) -> None:
    """Each is one error with the next step."""
    folder = images.oci_layout(tmp_path / "layout", [lower()])
    load(store, str(folder), name="a")
    image = names.resolve(store, "a")
    (diff_id,) = image.config.diff_ids
    index = store.index_path(diff_id)
    whole = index.read_bytes()
    index.chmod(0o600)
    index.write_bytes(whole[:100] + b"?" * (len(whole) - 100))
    with pytest.raises(IntegrityError, match="damaged"):
        layer_changes.views(store, image)
    index.unlink()
    with pytest.raises(IntegrityError, match="load the image again"):
        layer_changes.views(store, image)
    store.blob_path(diff_id).unlink()
    with pytest.raises(NotFound, match="layer missing"):
        layer_changes.views(store, image)
