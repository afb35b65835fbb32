"""Several layers as one that does the same to what is below them: OCI image-spec, layer.md.

Nothing is unpacked: the indexes are merged with their whiteouts, and the tar is made of that tree
and the layers' own contents while it is read. A folder that no layer names is no member: it is the
lower layers', with their attributes.
"""

import os
import stat
from collections.abc import Generator, Iterator, Sequence

from rootless.image import forms, trees
from rootless.image.layers import IMPLIED_LAYER, OPAQUE, TarContents, Untouched, UpperWalk
from rootless.image.member_header import END, Member, header
from rootless.image.merged_tar import TreeMembers
from rootless.image.store import Store
from rootless.image.upper_layer import WHITEOUT, UpperLayer
from rootless.oci.digest import Digest, sha256_of

_OPAQUE_MARK = b".wh..wh..opq"


def merged_layer_chunks(
    store: Store,
    diff_ids: Sequence[Digest],
    *,
    is_lowest: bool = False,
    latest_ns: int | None = None,
) -> Generator[bytes, None, None]:
    """Yield the tar of one layer in place of several.

    Args:
        store: Where they are.
        diff_ids: The layers, lowest first, that lie on each other.
        is_lowest: Nothing is below them, so that they need not take anything away.
        latest_ns: No file is younger than this; None for as it is.

    Raises:
        NotFound: One is missing.
        StoreError: One cannot be read.
        IntegrityError: They do not fit together.
    """
    places = forms.find_all(store, diff_ids)
    upper = UpperLayer(latest_ns)
    name = store.tree_path(sha256_of(b"for a moment"))
    with store.temp_for(name) as temp:
        indexes = [place.index for place in places]
        trees.build(indexes, temp.path, keeps_whiteouts=not is_lowest)
        with (
            trees.open_tree(temp.path) as tree,
            TarContents([place.contents for place in places]) as contents,
        ):
            walk = UpperWalk(-1, tree)
            members = TreeMembers(walk, contents, upper)
            for each in walk.merged():
                if isinstance(each, Untouched):
                    yield from _member(walk, members, each)
    yield END


def _member(walk: UpperWalk, members: TreeMembers, each: Untouched) -> Iterator[bytes]:
    inode = each.inode
    if stat.S_ISCHR(inode.mode) and inode.rdev == 0:  # a whiteout, as overlayfs has it
        folder, _, name = each.path.rpartition(b"/")
        yield _mark(folder, WHITEOUT + name)
        return
    if inode.layer != IMPLIED_LAYER:
        yield from members.member(each)
    if stat.S_ISDIR(inode.mode) and OPAQUE in walk.xattrs_before(inode):
        yield _mark(each.path, _OPAQUE_MARK)


def _mark(folder: bytes, name: bytes) -> bytes:
    path = folder + b"/" + name if folder else name
    return header(Member(os.fsdecode(path), stat.S_IFREG, 0, 0, 0))
