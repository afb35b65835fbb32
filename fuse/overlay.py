"""The overlay: what a name stands for, with an upperdir over the merged tree.

A name is looked up in the upperdir first. There it is an object, a whiteout (nothing), or absent,
and then the lower tree decides, unless the directory is opaque. Two directories of one name are
merged. The tree is merged already, so there are never more than these two.

This module finds; `copy_up`, `create`, `change`, `remove` and `rename` do. None of them knows
pyfuse3. All state is this class's, and one request is finished before the next begins.
"""

import errno
import os
import stat

from . import xattrs
from .entry import Inode
from .lower import Lower
from .node import ROOT_INO, Link, Node, NodeTable
from .ownership import Squash
from .place import Place
from .status import Kind, Status, of_lower, of_upper
from .unwritten import Unwritten
from .upper import Upper


class Overlay:
    """A lower tree with an upperdir over it, or without one: then it cannot be changed.

    Attributes:
        lower: What lies below.
        nodes: What the kernel knows.
        late_links: Names of copied-up files that are not linked to the copy yet: see `copy_up`.
        may_have_acls: Something may have an ACL. Where nothing has, nobody asks.
        is_volatile: What is written need not survive a crash of the machine.
        unwritten: What is hidden without a whiteout.
        hidden_links: Of hard-linked lower files, how many of their names were removed.
        changes: Grows with each change to what names stand for.
    """

    def __init__(self, lower: Lower, upper: Upper | None, uids: Squash, gids: Squash) -> None:
        self.lower = lower
        self._upper = upper
        self.is_volatile = False
        self.unwritten = Unwritten()
        self.may_have_acls = False
        self.late_links: list[tuple[Node, Link]] = []
        self.hidden_links: dict[int, int] = {}
        self.changes = 0
        self._uids = uids
        self._gids = gids
        root = Node(ROOT_INO, is_directory=True, lower=lower.root)
        dropped = None if upper is None else upper.leave
        self.nodes = NodeTable(root, lower.last_ino + 1, dropped)
        if upper is not None:
            root.upper_ino = upper.root_status().st_ino
            self._read_opaque(root, Place(upper.directory(root), b"."))

    @property
    def upper(self) -> Upper:
        """What was changed; raises OSError EROFS where nothing can be."""
        if self._upper is None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return self._upper

    def require_writable(self) -> None:
        """Raise OSError EROFS where there is no upperdir."""
        self.upper  # noqa: B018 - asking is the check

    def trim(self) -> None:
        """Close what was not used lately; called between two requests."""
        if self._upper is not None:
            self._upper.trim()

    def statvfs(self) -> os.statvfs_result:
        """Return the room that there is for changes, or where there is none what the lower says."""
        return self.lower.statvfs() if self._upper is None else self._upper.statvfs()

    def close(self) -> None:
        """Close the lower tree, and what was opened for objects of the upperdir."""
        self.nodes.close()
        if self._upper is not None:
            self._upper.close()
        self.lower.close()

    def node(self, ino: int) -> Node:
        """Return the node of an object that the kernel knows; makes one where there is none yet.

        Raises OSError ESTALE for any other number.
        """
        names = []  # from the object up to a directory that has a node: none has a second name
        at = ino
        while (node := self.nodes.known(at)) is None:
            at, name = self.lower.home(at, self.nodes.told.home(at))
            names.append(name)
        for name in reversed(names):
            found = self.find(Link(node, name))
            if found is None:
                break
            node = found
        if node.ino != ino:
            self.nodes.release(node)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return node

    def find(self, link: Link) -> Node | None:
        """Return what a name in a directory stands for, None for nothing."""
        parent = link.parent
        if parent.is_removed:
            return None
        if parent.is_upper:
            upper = self.upper
            if upper.reserves_names and upper.hiding.whiteout_of(link.name) is not None:
                return None
            place = self.place(link)
            status = upper.status(place)
            if status is not None:
                form = parent.has_xattr_whiteouts
                if upper.hiding.is_whiteout(place, status, xattr_form=form):
                    return None
                return self.upper_node(link, place, status)
            if upper.reserves_names and upper.hiding.hides(place):
                return None
        inode = None if parent.hidden and link.name in parent.hidden else self.below(link)
        return None if inode is None else self._lower_node(link, inode)

    def require(self, link: Link) -> Node:
        """Return what a name stands for; raises OSError ENOENT for nothing."""
        node = self.find(link)
        if node is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return node

    def below(self, link: Link) -> Inode | None:
        """Return what the lower tree has under a name, seen or hidden; None in opaque ones."""
        lower = link.parent.lower
        return None if lower is None else self.lower.lookup(lower, link.name)

    def place(self, link: Link) -> Place:
        """Return a name's place in the upperdir; the directory must be there.

        Raises:
            PermissionError: The name stands for a whiteout.
        """
        upper = self.upper
        if upper.reserves_names:
            upper.require_free(link.name)
        return Place(upper.directory(link.parent), link.name)

    def status(self, node: Node) -> Status:
        """Return a node's attributes."""
        if not node.is_upper:
            return self._lower_status(node)
        if node.orphan_fd >= 0 and not node.links:
            return self.upper_status(node, os.fstat(node.orphan_fd), None)
        place = self.upper.place(node)
        stored = os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
        return self.upper_status(node, stored, place)

    def directory_status(self, node: Node) -> Status:
        """Return the attributes of a directory of the upperdir, by its own descriptor."""
        fd = self.upper.directory(node)
        return self.upper_status(node, os.fstat(fd), Place(fd, b"."))

    def has_default_acl(self, directory: Node) -> bool:
        """Return whether what is made in a directory of the upperdir inherits an ACL."""
        if not self.may_have_acls:
            return False
        here = Place(self.upper.directory(directory), b".")
        return self.upper.xattr(here, xattrs.DEFAULT_ACL) is not None

    def is_empty(self, node: Node) -> bool:
        """Return whether a directory shows nothing."""
        if node.is_removed:
            return True
        shown, hidden = self.upper_names(node)
        return not shown and (node.lower is None or hidden.issuperset(self.lower.names(node.lower)))

    def upper_names(self, node: Node) -> tuple[set[bytes], set[bytes]]:
        """Return the names of a directory that the upperdir shows, and those that are hidden."""
        shown: set[bytes] = set()
        hidden = set(node.hidden or ())
        if not node.is_upper:
            return shown, hidden
        fd = self.upper.directory(node)
        hiding = self.upper.hiding
        whiteouts, names = self.upper.names_by_number(fd, hiding.shared)
        hidden.update(whiteouts)
        for name in names:
            hides = hiding.whiteout_of(name)
            if hides is not None:
                hidden.add(hides)
                continue
            place = Place(fd, name)
            status = self.upper.status(place)
            if status is None:
                continue
            form = node.has_xattr_whiteouts
            whiteout = hiding.is_whiteout(place, status, xattr_form=form)
            (hidden if whiteout else shown).add(name)
        return shown, hidden

    def readlink(self, node: Node) -> bytes:
        """Return a symbolic link's target."""
        if node.is_upper and not node.links:
            return os.fsencode(os.readlink(b"", dir_fd=node.orphan_fd))
        if node.is_upper:
            place = self.upper.place(node)
            return os.fsencode(os.readlink(place.name, dir_fd=place.fd))
        return b"" if node.lower is None else self.lower.readlink(node.lower)

    def hide_link(self, node: Node) -> None:
        """Note that a lower object has lost a name: the others' link counts go down."""
        if node.lower is not None and node.lower.nlink > 1:
            self.hidden_links[node.ino] = self.hidden_links.get(node.ino, 0) + 1

    def owner(self, lower: Inode) -> tuple[int, int]:
        """Return the owner of a lower object as the mount shows and stores it."""
        return self._uids[lower.uid], self._gids[lower.gid]

    def upper_node(self, link: Link, place: Place, status: os.stat_result) -> Node:
        """Return the node of what is at a place in the upperdir and is no whiteout."""
        directory = self.nodes.upper_directory(status.st_ino)
        if directory is not None:
            directory.add_link(link)
            return directory
        lower = None
        opaque = b""
        is_directory = stat.S_ISDIR(status.st_mode)
        if is_directory:
            opaque = self.upper.hiding.opaque(place)
            below = None if opaque == b"y" else self.below(link)
            lower = below if below is not None and stat.S_ISDIR(below.mode) else None
        ino = self.nodes.upper_number(status.st_ino) if lower is None else lower.ino
        node = self.nodes.known(ino)
        if node is None:
            node = Node(ino, is_directory=is_directory, lower=lower, upper_ino=status.st_ino)
            node.has_xattr_whiteouts = opaque == b"x"
            self.nodes.add(node)
        node.add_link(link)
        return node

    def _lower_node(self, link: Link, inode: Inode) -> Node:
        node = self.nodes.known(inode.ino)
        if node is None:
            node = Node(inode.ino, is_directory=stat.S_ISDIR(inode.mode), lower=inode)
            self.nodes.add(node)
        elif node.is_upper:
            if node.is_removed:  # its copy has no name that this one could be linked to
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            self.late_links.append((node, link))
        node.add_link(link)
        return node

    def _read_opaque(self, node: Node, place: Place) -> None:
        opaque = self.upper.hiding.opaque(place)
        node.has_xattr_whiteouts = opaque == b"x"
        if opaque == b"y":
            node.lower = None

    def _lower_status(self, node: Node) -> Status:
        lower = node.lower
        if lower is None:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return of_lower(node, lower, self.owner(lower), self.hidden_links.get(lower.ino, 0))

    def upper_status(self, node: Node, stored: os.stat_result, place: Place | None) -> Status:
        """Return the attributes of an object of the upperdir, as stored and as noted."""
        override = None if place is None else self.upper.override(place, stored)
        if override is None:
            return of_upper(node, stored, None)
        owner = (self._uids[override.uid], self._gids[override.gid])
        return of_upper(node, stored, Kind(override.mode, *owner, override.rdev))
