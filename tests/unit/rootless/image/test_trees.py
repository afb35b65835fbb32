"""`rootless.image.trees`: trees that are there or built now, and files read out of them."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import images
import loading
import pytest
import trees as built

from rootless.errors import IntegrityError, NotFound, StoreError
from rootless.image import names, trees
from rootless.image.load import load
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import Digest, chain_id
from rootless.oci.image_config import ImageConfig

PASSWD = b"root:x:0:0:root:/root:/bin/sh\n"


def loaded(store: Store, tmp_path: Path, layers: Sequence[images.Layer]) -> Image:
    """Bring an image into the store and return it."""
    folder = images.oci_layout(tmp_path / "layout", layers)
    load(store, str(folder), name="a")
    return names.resolve(store, "a")


@pytest.fixture
def image(store: Store, tmp_path: Path) -> Image:
    """An image of two layers."""
    upper = (
        images.LayerBuilder()
        .directory("etc")
        .symlink("etc/absolute", "/etc/passwd")
        .symlink("etc/out", "../../../../etc/passwd")
        .symlink("etc/circle", "circle")
        .whiteout("usr/bin/su")
    )
    return loaded(store, tmp_path, [images.small_layer(), upper])


def test_a_tree_that_is_there(store: Store, image: Image) -> None:
    """The tree that the load made is used as it is, layers or none; nothing is written."""
    path = store.tree_path(chain_id(image.config.diff_ids))
    for diff_id in image.config.diff_ids:
        store.index_path(diff_id).unlink()
    before = loading.listing(store.root)
    assert trees.ensure_tree(store, image.config) == path
    assert loading.listing(store.root) == before


def test_a_tree_that_is_missing(store: Store, image: Image) -> None:
    """It is built again, the same as before, and neither lock nor temp file is left."""
    path = store.tree_path(chain_id(image.config.diff_ids))
    before = built.listing(path)
    assert b"usr/bin/su" not in before
    path.unlink()
    assert trees.ensure_tree(store, image.config) == path
    assert built.listing(path) == before
    assert loading.temp_files(store.root) == []
    assert not any(name.startswith("tree-") for name in os.listdir(store.root / "locks"))


def test_neither_tree_nor_layer(store: Store, image: Image) -> None:
    """What is missing is named with the way out, and no half tree is kept."""
    path = store.tree_path(chain_id(image.config.diff_ids))
    path.unlink()
    index = store.index_path(image.config.diff_ids[1])
    index.unlink()
    with pytest.raises(NotFound) as caught:
        trees.ensure_tree(store, image.config)
    assert str(caught.value) == f"layer missing from the store: {index} (load the image again)"
    assert not path.exists()


@pytest.mark.parametrize(
    "damage", [b"", b"no database", bytes(8192)], ids=["empty", "text", "zeros"]
)
def test_a_damaged_index(damage: bytes, store: Store, image: Image) -> None:
    """A tree is not built out of a damaged index, which is named."""
    path = store.tree_path(chain_id(image.config.diff_ids))
    path.unlink()
    index = store.index_path(image.config.diff_ids[0])
    index.write_bytes(damage)
    with pytest.raises(IntegrityError) as caught:
        trees.ensure_tree(store, image.config)
    assert str(index) in caught.value.on
    assert not path.exists()
    assert loading.temp_files(store.root) == []


@pytest.mark.parametrize(
    "damage", [b"", b"no database", bytes(8192)], ids=["empty", "text", "zeros"]
)
def test_a_damaged_tree(damage: bytes, store: Store, image: Image) -> None:
    """A damaged tree is named by its path, with the way out: it is built again once it is gone."""
    path = trees.ensure_tree(store, image.config)
    path.write_bytes(damage)
    with pytest.raises(IntegrityError) as caught:
        trees.read_file(store, image, b"/etc/passwd")
    assert caught.value.what == "damaged tree in the store"
    assert caught.value.on.startswith(f"{path}: ")
    assert caught.value.fix == "remove the file, it is made again"
    path.unlink()
    assert trees.read_file(store, image, b"/etc/passwd") == PASSWD


def test_a_tree_damaged_within(store: Store, image: Image) -> None:
    """Damage behind a whole header is told in the same way."""
    path = trees.ensure_tree(store, image.config)
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes(len(data) - 100))
    with pytest.raises(IntegrityError, match="damaged tree in the store"):
        trees.read_file(store, image, b"/etc/passwd")


@pytest.mark.needs_user
def test_a_read_only_store(store: Store, image: Image, tmp_path: Path) -> None:
    """A read-only store serves while the tree is there; without it, one is made elsewhere."""
    path = store.tree_path(chain_id(image.config.diff_ids))
    folders = [store.root / name for name in ("trees", "locks", "")]
    for folder in folders:
        folder.chmod(0o500)
    try:
        assert trees.read_file(store, image, b"/etc/passwd") == PASSWD
        (store.root / "trees").chmod(0o700)
        path.unlink()
        (store.root / "trees").chmod(0o500)
        assert trees.ensure_tree(store, image.config).parent == tmp_path / "run" / "trees"
        with pytest.raises(StoreError, match="no permission"):
            trees.ensure_tree(replace(store, runtime=None), image.config)
    finally:
        for folder in reversed(folders):
            folder.chmod(0o700)


def test_layer_paths(store: Store, image: Image) -> None:
    """The tars come lowest first; a missing one is named."""
    paths = trees.layer_paths(store, image.config)
    assert paths == tuple(store.blob_path(diff_id) for diff_id in image.config.diff_ids)
    paths[1].unlink()
    with pytest.raises(NotFound) as caught:
        trees.layer_paths(store, image.config)
    assert str(caught.value) == f"layer missing from the store: {paths[1]} (load the image again)"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"/etc/passwd", PASSWD),
        (b"etc/passwd", PASSWD),
        (b"/etc/absolute", PASSWD),
        (b"/etc/out", PASSWD),  # `..` of the root is the root
        (b"/bin/dash", b"#!\n"),
        (b"/home/user/\xff\xfe", b"name in no character set"),
        (b"/usr/bin/su", None),
        (b"/etc/circle", None),
        (b"/etc", None),
        (b"/run/pipe", None),
        (b"/dev/null", None),
        (b"/none/passwd", None),
        (b"/etc/passwd/x", None),
    ],
)
def test_files_of_an_image(name: bytes, content: bytes | None, store: Store, image: Image) -> None:
    """Regular files are read through links that stay inside; all else is not there."""
    assert trees.read_file(store, image, name) == content


def test_a_file_over_the_limit(store: Store, tmp_path: Path) -> None:
    """A file that is too large is refused by its name; one of just the limit is read."""
    layer = images.LayerBuilder().file("f\xff".encode("latin-1"), b"x" * 10)
    image = loaded(store, tmp_path, [layer])
    where = (trees.ensure_tree(store, image.config), trees.layer_paths(store, image.config))
    assert trees.read_from(*where, b"f\xff", 10) == b"x" * 10
    with pytest.raises(IntegrityError) as caught:
        trees.read_from(*where, b"f\xff", 9)
    assert str(caught.value) == r"file too large to be read from the image: f\xff"


def test_a_sparse_file(store: Store, tmp_path: Path) -> None:
    """The holes of a sparse file are zeros."""
    records = [
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", b"log"),
        (b"GNU.sparse.realsize", b"3000"),
    ]
    content = images.padded(b"1\n1000\n4\n") + b"data"
    layer = images.LayerBuilder().file("GNUSparseFile.0/log", content, pax=records)
    image = loaded(store, tmp_path, [layer])
    assert trees.read_file(store, image, b"log") == bytes(1000) + b"data" + bytes(1996)


def test_a_layer_that_was_cut(store: Store, image: Image) -> None:
    """A tar that has become shorter is an error that names it, not a shorter file."""
    path = store.blob_path(image.config.diff_ids[0])
    os.truncate(path, 1024)
    with pytest.raises(StoreError) as caught:
        trees.read_file(store, image, b"/etc/passwd")
    assert str(path.parent) in caught.value.on


def test_an_image_without_layers(store: Store) -> None:
    """No layer is an empty tree."""
    config = ImageConfig(())
    path = trees.ensure_tree(store, config)
    assert path == store.tree_path(chain_id(()))
    assert built.listing(path) == {}
    assert trees.layer_paths(store, config) == ()
    assert trees.read_from(path, (), b"/etc/passwd", 100) is None


def test_a_tree_below_a_prefix(tmp_path: Path) -> None:
    """With a prefix only what is below it is there; a prefix with nothing below it is refused."""
    index = built.build_index(tmp_path / "index", images.small_layer())
    trees.build([index], tmp_path / "tree", prefix=b"usr")
    assert set(built.listing(tmp_path / "tree")) == {b"bin", b"bin/su", b"bin/ping"}
    with pytest.raises(IntegrityError) as caught:
        trees.build([index], tmp_path / "none", prefix=b"nowhere")
    assert str(caught.value) == "layers do not fit together: nothing lies below 'nowhere'"


def test_a_tree_that_cannot_be_written(store: Store, image: Image) -> None:
    """The place is named."""
    index = store.index_path(image.config.diff_ids[0])
    out = store.root / "none" / "tree"
    with pytest.raises(StoreError) as caught:
        trees.build([index], out)
    assert str(out) in str(caught.value)


def test_an_unknown_image(store: Store) -> None:
    """A config whose layers nobody loaded names the first that is missing."""
    config = ImageConfig((Digest("sha256:" + "0" * 64),))
    with pytest.raises(NotFound, match="layer missing from the store"):
        trees.ensure_tree(store, config)


@pytest.mark.parametrize(
    ("path", "is_there"),
    [(b"etc", True), (b"/usr/bin", True), (b"etc/passwd", False), (b"etc/none", False)],
)
def test_folders(store: Store, image: Image, path: bytes, *, is_there: bool) -> None:
    """A directory of the image, and neither a file nor nothing."""
    assert trees.has_folder(store, image, path) is is_there


def test_several_questions(store: Store, image: Image) -> None:
    """One look answers for files and folders; it opens nothing where nothing is asked."""
    with trees.looked_into(store, image) as look:
        assert look.has_file(b"etc/passwd")
        assert not look.has_file(b"etc")
        assert not look.has_file(b"etc/none")
        assert look.has_folder(b"etc")
    assert trees.has_file(store, image, b"etc/passwd")
    nowhere = replace(image, place=names.Located(Path("/none"), (), files={b"a": b"", b"b": None}))
    with trees.looked_into(store, nowhere) as look:
        assert look.has_file(b"a")
        assert not look.has_file(b"b")


def test_a_folder_that_is_known_without_the_tree(store: Store, image: Image) -> None:
    """An image in a file says of some whether it has them: its tree is not opened."""
    there = names.Located(Path("/none"), (), files={b"a/": b"", b"b/": None})
    known = replace(image, place=there)
    assert trees.has_folder(store, known, b"a")
    assert not trees.has_folder(store, known, b"b")


def test_a_tree_that_grows(store: Store, image: Image) -> None:
    """Made of that of fewer layers, where one is there and it may; used by all, but for packs."""
    diff_ids = image.config.diff_ids
    path = store.tree_path(chain_id(diff_ids))
    before = dict(_shown(path))
    path.unlink()
    assert trees.located(store, diff_ids[:1]).tree == store.tree_path(diff_ids[0])
    grown = trees.located(store, diff_ids, may_grow=True).tree
    assert grown == store.grown_tree_path(chain_id(diff_ids))
    assert dict(_shown(grown)) == before
    assert trees.located(store, diff_ids).tree == grown
    assert trees.merged(store, diff_ids).tree == path
    assert trees.located(store, diff_ids, may_grow=True).tree == path
    assert loading.temp_files(store.root) == []


def test_a_tree_with_nothing_to_grow_from(store: Store, image: Image) -> None:
    """Without a tree of fewer layers, or with one that is damaged, it is merged, or refused."""
    diff_ids = image.config.diff_ids
    path = store.tree_path(chain_id(diff_ids))
    path.unlink()
    assert trees.located(store, diff_ids, may_grow=True).tree == path
    path.unlink()
    below = trees.located(store, diff_ids[:1]).tree
    below.write_bytes(b"x" * 100)
    with pytest.raises(IntegrityError, match="damaged tree"):
        trees.located(store, diff_ids, may_grow=True)


def _shown(path: Path) -> list[tuple[bytes, tuple[object, ...]]]:
    with trees.open_tree(path) as tree:
        return [(name, inode[1:]) for name, inode in tree.walk()]
