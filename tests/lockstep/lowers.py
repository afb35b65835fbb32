"""The images that the lock step runs over: small and dense, so that random paths often exist."""

import images
from random_image import Palette, random_layers

NAMES = ("a", "b", "c")
_KINDS = (*("file",) * 5, *("directory",) * 6, *("symlink", "symlink", "fifo"))


def lower_layers(number: int, *, single_id: bool) -> list[images.Layer]:
    """Return the layers of an image: the first are made by hand, the others random."""
    if number < len(_BY_HAND):
        return _BY_HAND[number]()
    palette = Palette(
        names=tuple(name.encode() for name in NAMES),
        kinds=_KINDS,
        owners=(0,) if single_id else (0, 0, 1, 1000),
        groups=(0,) if single_id else (0, 0, 5, 1000),
        depth=2,
    )
    count = number % 3 + 1
    return [*random_layers(number, count, operations=30 if count == 1 else 18, palette=palette)]


def _plain() -> list[images.Layer]:
    """One layer: directories with something in them, and empty; each kind of object."""
    return [
        images.LayerBuilder()
        .directory("a")
        .file("a/a", b"lower a/a", mtime=1000)
        .directory("a/b", mode=0o2775)
        .file("a/b/a", b"x" * 5000)
        .directory("a/c")
        .directory("b")
        .symlink("b/a", "../a/a")
        .symlink("b/b", "/a")
        .fifo("b/c")
        .file("c", b"lower c", mode=0o4755)
    ]


def _linked() -> list[images.Layer]:
    """Hard links, across directories and layers' whiteouts."""
    return [
        images.LayerBuilder()
        .directory("a")
        .file("a/a", b"shared")
        .hard_link("a/b", "a/a")
        .directory("b")
        .hard_link("b/a", "a/a")
        .symlink("b/b", "nowhere")
        .hard_link("b/c", "b/b"),
        images.LayerBuilder().directory("a").whiteout("a/b").file("c", b"single"),
    ]


def _stacked() -> list[images.Layer]:
    """Whiteouts, an opaque directory, and changes of type, in three layers."""
    return [
        images.LayerBuilder()
        .directory("a")
        .directory("a/a")
        .file("a/a/a", b"bottom")
        .file("a/b", b"bottom b")
        .directory("b")
        .file("b/a", b"hidden")
        .file("c", b"file"),
        images.LayerBuilder()
        .directory("a")
        .whiteout("a/b")
        .directory("a/c")
        .directory("b", mode=0o700)
        .opaque("b")
        .file("b/b", b"seen")
        .directory("c")
        .file("c/c", b"was a file"),
        images.LayerBuilder()
        .directory("a")
        .file("a/b", b"back")
        .directory("a/a")
        .whiteout("a/a/a")
        .directory("c", mode=0o1777)
        .file("c/a", b"", xattrs={"user.a": b"value"}),
    ]


def _sparse() -> list[images.Layer]:
    """A sparse file, in GNU tar's form, and a big one."""
    return [
        images.LayerBuilder()
        .raw(sparse_member(b"a", 40_000, [(8192, b"one"), (20_480, b"two" * 500)]))
        .directory("b")
        .file("b/a", bytes(range(256)) * 300)
        .hard_link("b/b", "a")
    ]


def sparse_member(name: bytes, size: int, pieces: list[tuple[int, bytes]]) -> bytes:
    """Return a sparse file as GNU tar writes it, version 1.0 of its PAX form."""
    mapping = [str(len(pieces)), *(str(n) for at, data in pieces for n in (at, len(data)))]
    table = images.padded("".join(f"{word}\n" for word in mapping).encode())
    content = table + b"".join(data for _, data in pieces)
    records = [
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", name),
        (b"GNU.sparse.realsize", str(size).encode()),
    ]
    header = images.header(b"GNUSparseFile.0/x", size=len(content))
    return images.pax_header(records) + header + images.padded(content)


_BY_HAND = (_plain, _linked, _stacked, _sparse)
