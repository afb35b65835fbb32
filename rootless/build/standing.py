"""The folders of the image that a layer's members lie in, as members of their own.

Who merges layers by their members needs none of them. But who extracts a layer into a folder of its
own, as containers/storage does, makes those that it lacks, as root's and with mode 0755, and they
then hide what the image says of them. So a layer has them, as one made of an upperdir has.
"""

import os
import stat
from collections.abc import Iterator

from rootless.build.destination import Destination
from rootless.image.member_header import Member, header
from rootless.image.upper_layer import kept_xattrs


class Standing:
    """Gives each of those folders once, before the first thing in it.

    Args:
        destination: The image so far.
        latest_ns: No folder is younger; None for as it is.
    """

    def __init__(self, destination: Destination, latest_ns: int | None) -> None:
        self._destination = destination
        self._latest_ns = latest_ns
        self._done = {b""}

    def above(self, path: bytes) -> Iterator[bytes]:
        """Yield the headers of folders above a member that have none yet, outermost first.

        The member counts as written: what lies in it needs no other.
        """
        missing = []
        folder = path.rpartition(b"/")[0]
        while folder not in self._done:
            missing.append(folder)
            folder = folder.rpartition(b"/")[0]
        self._done.update(missing, (path,))
        for each in reversed(missing):
            inode = self._destination.look(each)
            if inode is None or not stat.S_ISDIR(inode.mode):
                continue  # a link of an archive's own leads there
            mtime_ns = inode.mtime_ns
            if self._latest_ns is not None:
                mtime_ns = min(mtime_ns, self._latest_ns)
            xattrs = kept_xattrs(each, self._destination.xattrs(inode))
            yield header(
                Member(os.fsdecode(each), inode.mode, inode.uid, inode.gid, mtime_ns, xattrs=xattrs)
            )
