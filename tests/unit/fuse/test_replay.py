"""What layers mean together: the rules one by one, and properties against a naive model."""

import stat
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuse.entry import HARD_LINK, Entry
from fuse.replay import MergedTree, MergeError, number_inodes
from fuse.whiteout import Whiteout

Layer = tuple[list[Whiteout], list[Entry]]
Shown = dict[bytes, str]


def entry(path: str, kind: str, value: str = "") -> Entry:
    """Return an entry: `d`irectory, `f`ile, `l`ink, `h`ard link; the value tells versions apart."""
    bits = {"d": stat.S_IFDIR, "f": stat.S_IFREG, "l": stat.S_IFLNK, "h": stat.S_IFREG}[kind]
    uid = int(value) if kind in "df" and value else 0
    target = value.encode() if kind in "lh" else b""
    flags = HARD_LINK if kind == "h" else 0
    return Entry(1, path.encode(), bits | 0o755, uid, 0, 0, 0, 0, 0, target, flags)


def layer(*lines: str) -> Layer:
    """Return a layer: `f PATH VALUE` for an entry, `- PATH` a whiteout, `= PATH` an opaque one."""
    whiteouts, entries = [], []
    for line in lines:
        kind, path, value = [*line.split(" "), "", ""][:3]
        if kind in "-=":
            whiteouts.append(Whiteout(path.encode(), is_opaque=kind == "="))
        else:
            entries.append(entry(path, kind, value))
    return whiteouts, entries


def merged(*layers: Layer) -> MergedTree:
    """Apply layers, the lowest first."""
    tree = MergedTree()
    for each in layers:
        tree.apply(*each)
    return tree


def shown(tree: MergedTree) -> Shown:
    """Return kind, value and group of hard links of each path."""
    nodes, dirents = number_inodes(tree.root)
    paths, found = {1: b""}, {}
    first: dict[int, bytes] = {}
    for parent, name, ino in dirents:
        path = b"/".join(filter(None, (paths[parent], name)))
        node = nodes[ino - 1]
        if node.children is not None:
            paths[ino] = path
            found[path] = f"d{node.entry.uid}"
        else:
            mark = "l" if stat.S_ISLNK(node.entry.mode) else "f"
            same = first.setdefault(ino, path)
            text = node.entry.target.decode() or str(node.entry.uid)
            found[path] = f"{mark}{text}" + (f" = {same.decode()}" if node.nlink > 1 else "")
    return found


def result(*layers: Layer) -> dict[str, str]:
    """Return what the layers show together."""
    return {path.decode(): text for path, text in shown(merged(*layers)).items()}


def test_a_whiteout_hides_a_file_and_a_directory_with_its_contents() -> None:
    """A hidden name is gone, and so is all below it."""
    lower = layer("f a 1", "d d 1", "f d/x 1", "f b 1")
    assert result(lower, layer("- a", "- d")) == {"b": "f1"}


def test_an_opaque_whiteout_hides_the_contents_and_keeps_the_directory() -> None:
    """The directory's attributes stay where the layer has none for it; the root is one too."""
    lower = layer("d d 1", "f d/x 1", "d d/e 1", "f d/e/y 1", "f b 1")
    assert result(lower, layer("= d", "f d/z 2")) == {"d": "d1", "d/z": "f2", "b": "f1"}
    assert result(lower, layer("= ", "f z 2")) == {"z": "f2"}


def test_whiteouts_concern_lower_layers_only() -> None:
    """A whiteout and an entry of the same name leave the entry, wherever in the tar they stand."""
    lower = layer("d d 1", "f d/old 1")
    upper = layer("- d", "d d 2", "f d/new 2", "= d", "- d/new")
    assert result(lower, upper) == {"d": "d2", "d/new": "f2"}


def test_whiteouts_of_what_is_not_there_mean_nothing() -> None:
    """Neither does an opaque whiteout of a file, nor one below a file or a link."""
    lower = layer("f f 1", "d d 1", "f d/x 1", "l l d")
    upper = layer("- none", "- none/x", "= none", "= f", "- f/x", "- l/x", "= l")
    assert result(lower, upper) == result(lower)


def test_a_directory_over_a_directory_keeps_the_contents() -> None:
    """The upper one's attributes win."""
    assert result(layer("d d 1", "f d/x 1"), layer("d d 2")) == {"d": "d2", "d/x": "f1"}


@pytest.mark.parametrize("kind", ["f x 2", "l x y"])
def test_anything_else_takes_the_place_of_a_directory(kind: str) -> None:
    """What was below is gone, and does not come back with a directory of a later layer."""
    lower = layer("d x 1", "f x/old 1")
    assert set(result(lower, layer(kind))) == {"x"}
    assert result(lower, layer(kind), layer("d x 3")) == {"x": "d3"}


@pytest.mark.parametrize("kind", ["f x 1", "l x y"])
def test_a_directory_takes_the_place_of_anything_else(kind: str) -> None:
    """A file or a link of a lower layer gives way, also to a directory that is only implied."""
    assert result(layer(kind), layer("d x 2", "f x/a 2")) == {"x": "d2", "x/a": "f2"}
    assert result(layer(kind), layer("f x/a 2")) == {"x": "d0", "x/a": "f2"}


def test_the_last_of_several_members_wins() -> None:
    """Within a layer too, whatever the kinds; a hard link to the earlier one keeps that."""
    assert result(layer("f a 1", "h b a", "f a 2")) == {"a": "f2", "b": "f1"}
    assert result(layer("d a 1", "f a/x 1", "f a 2")) == {"a": "f2"}
    assert result(layer("f a 1", "d a 2", "f a/x 2")) == {"a": "d2", "a/x": "f2"}
    assert result(layer("d a 1", "f a/x 1", "d a 2")) == {"a": "d2", "a/x": "f1"}


def test_missing_parents_are_made() -> None:
    """They are root's, 0755, of no time; the parents that a lower layer has keep what they have."""
    assert result(layer("d a 1"), layer("f a/b/c 2")) == {"a": "d1", "a/b": "d0", "a/b/c": "f2"}
    tree = merged(layer("f a/b 1"))
    assert tree.root.children is not None
    made = tree.root.children[b"a"].entry
    assert (made.mode, made.uid, made.gid, made.mtime_ns) == (stat.S_IFDIR | 0o755, 0, 0, 0)


def test_hard_links_share_an_inode_across_directories_and_layers() -> None:
    """Also of a link, also through an own or a lower symbolic link in the target's path."""
    lower = layer("d d 1", "f d/a 1", "l s d/a", "l e d")
    upper = layer("h b d/a", "h c/x d/a", "h t s", "h u e/a")
    assert result(lower, upper) == {
        "b": "f1 = b",
        "c": "d0",
        "c/x": "f1 = b",
        "d": "d1",
        "d/a": "f1 = b",
        "e": "ld",
        "s": "ld/a = s",
        "t": "ld/a = s",
        "u": "f1 = b",
    }


def test_hard_links_count_only_the_names_that_are_left() -> None:
    """A name hidden or replaced by a later layer is no link any more."""
    lower = layer("f a 1", "h b a", "h c a")
    nodes, _ = number_inodes(merged(lower, layer("- b")).root)
    assert [node.nlink for node in nodes] == [2, 2]
    nodes, _ = number_inodes(merged(lower, layer("- b", "f a 2")).root)
    assert [node.nlink for node in nodes] == [2, 1, 1]


def test_a_hard_link_may_replace_its_own_name_and_the_directory_of_its_target() -> None:
    """The target is found before the name is taken."""
    assert result(layer("f a 1", "h a a")) == {"a": "f1"}
    assert result(layer("d d 1", "f d/x 1", "h d d/x")) == {"d": "f1"}


@pytest.mark.parametrize("target", ["none", "none/a", "d/none", "f/a", "loop/a", "d"])
def test_a_hard_link_to_nothing_or_to_a_directory_is_refused(target: str) -> None:
    """The error names the link and its target."""
    lower = layer("d d 1", "f f 1", "l loop loop")
    with pytest.raises(MergeError, match="member 'link'"):
        merged(lower, layer(f"h link {target}"))


def test_a_hard_link_to_what_the_layer_hides_is_refused() -> None:
    """Whiteouts come first."""
    with pytest.raises(MergeError, match="which the image lacks"):
        merged(layer("f a 1"), layer("h b a", "- a"))


def test_entries_below_an_own_link_are_made_where_it_leads() -> None:
    """As tar does it; `..` and absolute targets stay inside the root."""
    assert result(layer("l lib usr/lib", "f lib/a 1")) == {
        "lib": "lusr/lib",
        "usr": "d0",
        "usr/lib": "d0",
        "usr/lib/a": "f1",
    }
    assert set(result(layer("d x 1", "l x/up ../../../y", "f x/up/a 1"))) == {
        "x",
        "x/up",
        "y",
        "y/a",
    }
    assert "y/a" in result(layer("d x 1", "l x/up /y", "f x/up/a 1"))


def test_a_link_that_is_replaced_leads_nowhere_any_more() -> None:
    """Entries after the replacement lie in the new directory."""
    found = result(layer("l a b", "f a/x 1", "d a 1", "f a/y 1"))
    assert found == {"a": "d1", "a/y": "f1", "b": "d0", "b/x": "f1"}
    found = result(layer("l a b", "f a/x 1", "l a c", "f a/y 1"))
    assert set(found) == {"a", "b", "b/x", "c", "c/y"}


@pytest.mark.parametrize("lines", [("f a 1", "f a/b 1"), ("l a a", "f a/b 1"), ("l a b", "l b a")])
def test_entries_below_an_own_file_or_loop_are_refused(lines: tuple[str, ...]) -> None:
    """The error names the entry."""
    with pytest.raises(MergeError, match="an entry below"):
        merged(layer(*lines, "f a/c/d 1"))


def test_the_root_takes_attributes_and_stays_a_directory() -> None:
    """An entry of the empty path is the root."""
    assert merged(layer("d  7"), layer("f a 1")).root.entry.uid == 7
    with pytest.raises(MergeError, match="root directory"):
        merged(layer("f  1"))


def test_the_number_of_objects_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Implied directories count as well."""
    monkeypatch.setattr("fuse.replay._OBJECTS_MAX", 5)
    merged(layer("f a/b/c/d 1", "f e 1"))
    with pytest.raises(MergeError, match="more than 5 objects"):
        merged(layer("f a/b/c/d/e 1", "f e 1"))


def test_inodes_are_numbered_breadth_first_by_name() -> None:
    """A directory's children have neighbouring numbers; directories count their subdirectories."""
    tree = merged(layer("f z 1", "d b 1", "f b/y 1", "f b/x 1", "d a 1", "d a/d 1", "h a/l z"))
    nodes, dirents = number_inodes(tree.root)
    assert dirents == [
        (1, b"a", 2),
        (1, b"b", 3),
        (1, b"z", 4),
        (2, b"d", 5),
        (2, b"l", 4),
        (3, b"x", 6),
        (3, b"y", 7),
    ]
    assert [node.nlink for node in nodes] == [4, 3, 2, 2, 2, 1, 1]


# Properties. The model is a plain dictionary of paths, without hard links and symbolic links.

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@st.composite
def layers(draw: st.DrawFn, *, with_links: bool = False) -> Layer:
    """Draw a layer as diff tools make them: the parents of an entry come before it."""
    whiteouts = [
        Whiteout(path.encode(), is_opaque=is_opaque)
        for path, is_opaque in draw(st.lists(st.tuples(PATHS, st.booleans()), max_size=3))
    ]
    kinds: dict[str, str] = {}
    for path, kind in draw(st.lists(st.tuples(PATHS, st.sampled_from("df")), max_size=6)):
        parents = ["/".join(path.split("/")[:n]) for n in range(1, path.count("/") + 1)]
        if any(kinds.get(parent) == "f" for parent in parents):
            continue
        if kind == "f" and any(known.startswith(path + "/") for known in kinds):
            continue
        kinds |= dict.fromkeys(parents, "d") | {path: kind}
    entries = [
        entry(path, kind, str(draw(st.integers(1, 9)))) for path, kind in sorted(kinds.items())
    ]
    files = [path for path, kind in kinds.items() if kind == "f"]
    if with_links and files:
        target = draw(st.sampled_from(files))
        entries.append(entry(draw(st.sampled_from(["l1", "l2"])), "h", target))
    return whiteouts, entries


def model_apply(shown_so_far: dict[bytes, str], one: Layer) -> dict[bytes, str]:
    """Apply a layer to a dictionary of paths, the slow and obvious way."""
    whiteouts, entries = one
    kept = dict(shown_so_far)
    for path, is_opaque in whiteouts:
        below = path + b"/"
        is_directory = kept.get(path, "").startswith("d")
        for each in list(kept):
            if (is_opaque and is_directory and each.startswith(below)) or (
                not is_opaque and (each == path or each.startswith(below))
            ):
                del kept[each]
    for each in entries:
        kind = "d" if stat.S_ISDIR(each.mode) else "f"
        if not (kind == "d" and kept.get(each.path, "").startswith("d")):
            for gone in [p for p in kept if p.startswith(each.path + b"/")]:
                del kept[gone]
        kept[each.path] = f"{kind}{each.uid}"
    return kept


def exported(tree: MergedTree) -> Layer:
    """Return a merged tree as one layer, hard links included."""
    entries: list[Entry] = []
    nodes, dirents = number_inodes(tree.root)
    paths, first = {1: b""}, {}
    for parent, name, ino in dirents:
        path = b"/".join(filter(None, (paths[parent], name)))
        paths[ino] = path
        if ino in first:
            entries.append(entry(path.decode(), "h", first[ino].decode()))
        else:
            first[ino] = path
            entries.append(nodes[ino - 1].entry._replace(path=path))
    return [], entries


def composed(lower: Layer, upper: Layer) -> Layer:
    """Return one layer that does what the two do after each other (without hard links)."""

    def is_hidden(path: bytes) -> bool:
        return any(
            path.startswith(hidden + b"/") or (path == hidden and not is_opaque)
            for hidden, is_opaque in upper[0]
        )

    return lower[0] + upper[0], [e for e in lower[1] if not is_hidden(e.path)] + upper[1]


@settings(database=None, max_examples=150)
@given(st.lists(layers(), max_size=4))
def test_the_merge_equals_the_naive_model(drawn: Sequence[Layer]) -> None:
    """Layer by layer, the tree shows what the dictionary does."""
    expected: dict[bytes, str] = {}
    for one in drawn:
        expected = model_apply(expected, one)
    assert shown(merged(*drawn)) == expected


@settings(database=None, max_examples=150)
@given(layers(with_links=True), layers(with_links=True), layers(with_links=True))
def test_merging_the_lower_two_first_changes_nothing(low: Layer, mid: Layer, top: Layer) -> None:
    """(low + mid) + top is low + mid + top, hard links included."""
    assert shown(merged(exported(merged(low, mid)), top)) == shown(merged(low, mid, top))


@settings(database=None, max_examples=150)
@given(layers(), layers(), layers())
def test_merging_the_upper_two_first_changes_nothing(low: Layer, mid: Layer, top: Layer) -> None:
    """Low + (mid + top) is low + mid + top."""
    assert shown(merged(low, composed(mid, top))) == shown(merged(low, mid, top))
