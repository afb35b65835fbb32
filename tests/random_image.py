"""Images of many random layers as diff tools make them, the same for the same seed.

Every layer names the parents of what it has, with the attributes they have, as `docker commit`,
buildah and umoci do; it is full of whiteouts, opaque whiteouts, changes of type and hard links.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from images import CAP_NET_RAW, LayerBuilder

Member = dict[str, Any]


@dataclass(frozen=True)
class Palette:
    """What images are made of.

    Attributes:
        names: Names of objects, wherever they are.
        kinds: Kinds of objects; one that is there twice comes twice as often.
        owners: UIDs.
        groups: GIDs.
        depth: How deep directories go.
    """

    names: tuple[bytes, ...] = (
        *(b"a", b"b", b"c", b"d", b"e"),
        b".hidden",
        b"a b\n",
        b"\xff\xfe",
        b"long-" * 24,
        b"caf\xc3\xa9",
    )
    kinds: tuple[str, ...] = (
        *("file",) * 5,
        *("directory",) * 5,
        *("symlink", "symlink", "fifo", "device"),
    )
    owners: tuple[int, ...] = (0, 0, 1, 1000, 65533)
    groups: tuple[int, ...] = (0, 0, 5, 1000, 65533)
    depth: int = 4


_DEFAULT = Palette()


def random_layers(
    seed: int,
    count: int,
    *,
    operations: int = 60,
    has_lower_links: bool = False,
    palette: Palette = _DEFAULT,
) -> list[LayerBuilder]:
    """Return the layers of an image, the lowest first.

    Args:
        seed: Decides everything.
        count: How many layers.
        operations: How many changes a layer makes.
        has_lower_links: Whether hard links are made to files of lower layers too, which only tools
            that extract all layers into one folder understand.
        palette: What they are made of.
    """
    maker = _Maker(random.Random(seed), palette)
    return [maker.layer(operations, has_lower_links=has_lower_links) for _ in range(count)]


class _Maker:
    def __init__(self, source: random.Random, palette: Palette) -> None:
        self.random = source
        self.palette = palette
        self.state: dict[bytes, Member] = {b"": self.directory()}
        self.lower: dict[bytes, Member] = {}
        self.members: dict[bytes, Member] = {}
        self.hidden: dict[bytes, bool] = {}  # path: whether opaque

    def layer(self, operations: int, *, has_lower_links: bool) -> LayerBuilder:
        """Change the state, and return the layer that makes the change."""
        self.lower, self.members, self.hidden = dict(self.state), {b"": self.state[b""]}, {}
        for _ in range(operations):
            self.change()
        builder = LayerBuilder()
        whiteouts = list(self.hidden.items())
        self.random.shuffle(whiteouts)
        half = self.random.randint(0, len(whiteouts))
        _write_whiteouts(builder, whiteouts[:half])
        for path, member in sorted(self.members.items()):
            _write(builder, path, member)
        self.link(builder, has_lower_links=has_lower_links)
        _write_whiteouts(builder, whiteouts[half:])
        return builder

    def change(self) -> None:
        """Do one thing that happens between two layers."""
        choice = self.random.random()
        existing = [path for path in self.state if path]
        if choice < 0.6 or not existing:
            path = self.free_path()
            kept = self.is_directory(self.state, path) and self.random.random() < 0.9
            self.put(path, "directory" if kept else self.random.choice(self.palette.kinds))
            return
        # Mostly something deep, lest an image lose all it has again and again.
        path = max(self.random.choices(existing, k=3), key=lambda each: each.count(b"/"))
        if choice < 0.75:
            self.put(path, self.random.choice(self.palette.kinds))
        elif choice < 0.9:
            self.hide(path)
            if self.random.random() < 0.5:
                self.put(path, self.random.choice(self.palette.kinds))
        elif self.state[path]["kind"] == "directory":
            self.empty(path)

    def free_path(self) -> bytes:
        """Return a path in a directory; it may exist."""
        directories = [
            path
            for path, member in self.state.items()
            if member["kind"] == "directory" and path.count(b"/") < self.palette.depth
        ]
        parent = self.random.choice(directories)
        return (parent + b"/" if parent else b"") + self.random.choice(self.palette.names)

    def put(self, path: bytes, kind: str) -> None:
        """Make or replace an object; a directory that stays one keeps its contents."""
        member = getattr(self, kind)()
        if not (kind == "directory" and self.is_directory(self.state, path)):
            self.drop(path)
            if kind == "directory" and self.is_directory(self.lower, path):
                self.hidden[path] = False  # else the lower one's contents would be there again
        self.name_parents(path)
        self.state[path] = self.members[path] = member

    def hide(self, path: bytes) -> None:
        """Remove an object."""
        self.drop(path)
        if path in self.lower:
            self.name_parents(path)
            self.hidden[path] = False

    def empty(self, path: bytes) -> None:
        """Remove what is in a directory, by an opaque whiteout."""
        member = self.state[path]
        was_hidden = self.hidden.get(path)
        self.drop(path)
        self.name_parents(path)
        self.state[path] = self.members[path] = member
        self.hidden[path] = was_hidden is None

    def drop(self, path: bytes) -> None:
        """Forget a path and what is below it, in the state and in the layer so far."""
        for where in (self.state, self.members, self.hidden):
            for each in [p for p in where if p == path or p.startswith(path + b"/")]:
                del where[each]  # type: ignore[attr-defined]

    def name_parents(self, path: bytes) -> None:
        """Have the parents in the layer, as they are."""
        while path:
            path = path.rpartition(b"/")[0]
            self.members.setdefault(path, self.state[path])

    def link(self, builder: LayerBuilder, *, has_lower_links: bool) -> None:
        """Add hard links behind all other members; links that links are made to included."""
        known = self.state if has_lower_links else self.members
        targets = sorted(path for path, member in known.items() if member["kind"] == "file")
        for _ in range(5 if targets else 0):
            target, path = self.random.choice(targets), self.free_path()
            if path in self.state or path in self.lower or path in self.hidden:
                continue
            before = set(self.members)
            self.name_parents(path)
            for parent in sorted(set(self.members) - before):
                _write(builder, parent, self.members[parent])
            builder.hard_link(path, target)
            self.state[path] = self.members[path] = {"kind": "file"}
            targets.append(path)

    @staticmethod
    def is_directory(where: dict[bytes, Member], path: bytes) -> bool:
        """Tell whether a path is a directory."""
        return path in where and where[path]["kind"] == "directory"

    def attributes(self, *modes: int) -> Member:
        """Draw owner, time and permissions."""
        return {
            "uid": self.random.choice(self.palette.owners),
            "gid": self.random.choice(self.palette.groups),
            "mtime": self.random.randint(0, 2_000_000_000) + self.random.choice([0, 0.25]),
            "mode": self.random.choice(modes),
        }

    def xattrs(self, *more: tuple[str, bytes]) -> Member:
        """Draw extended attributes."""
        known = [("user.a", b"\0\xff\n="), ("user.long", b"v" * 300), *more]
        chosen = [item for item in known if self.random.random() < 0.2]
        return {"xattrs": dict(chosen)}

    def directory(self) -> Member:
        """Draw a directory."""
        return {"kind": "directory"} | self.attributes(0o755, 0o700, 0o1777, 0o2755) | self.xattrs()

    def file(self) -> Member:
        """Draw a regular file."""
        content = self.random.randbytes(self.random.choice([0, 1, 511, 512, 5000]))
        xattrs = self.xattrs(("security.capability", CAP_NET_RAW))
        return (
            {"kind": "file", "content": content}
            | self.attributes(0o644, 0o4755, 0o2711, 0o000)
            | xattrs
        )

    def symlink(self) -> Member:
        """Draw a symbolic link, its mode included, which no system shows."""
        target = self.random.choice([b"a", b"../b", b"/c/d", b"t" * 200])
        return {"kind": "symlink", "target": target} | self.attributes(0o777, 0o644)

    def fifo(self) -> Member:
        """Draw a named pipe."""
        return {"kind": "fifo"} | self.attributes(0o600)

    def device(self) -> Member:
        """Draw a device node."""
        kind, major = self.random.choice([("c", 1), ("b", 7)])
        return {"kind": "device", "args": (kind, major, 3)} | self.attributes(0o660)


def _write(builder: LayerBuilder, path: bytes, member: Member) -> None:
    rest = {key: value for key, value in member.items() if key not in ("kind", "args", "target")}
    kind = member["kind"]
    if kind == "device":
        builder.device(path, *member["args"], **rest)
    elif kind == "symlink":
        builder.symlink(path, member["target"], **rest)
    else:
        getattr(builder, kind)(path or b".", **rest)


def _write_whiteouts(builder: LayerBuilder, whiteouts: Sequence[tuple[bytes, bool]]) -> None:
    for path, is_opaque in whiteouts:
        if is_opaque:
            builder.opaque(path)
        else:
            builder.whiteout(path)
