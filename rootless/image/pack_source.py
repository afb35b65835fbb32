"""A pack as a source of `rootless load`: its layers are tars again, verified by their diff IDs."""

import os
from contextlib import closing

from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.layers import PackFile
from rootless.image.pack_reader import explained, planned_image
from rootless.image.pack_tars import PackedTars, TarStream
from rootless.image.plan import PlannedImage
from rootless.image.progress import Progress
from rootless.image.store import Store


class PackSource:
    """The image of a pack.

    Args:
        store: Where layers go.
        fd: The open file; owned from here on.
        what: What the user called it.
    """

    def __init__(self, store: Store, fd: int, what: str) -> None:
        self._store = store
        self._fd = fd
        self._what = what
        try:
            with explained(what):
                self._pack = PackFile(fd, what)
                self._layers = self._pack.layers()
        except BaseException:
            os.close(fd)
            raise

    @property
    def what(self) -> str:
        """What the user called it."""
        return self._what

    def image(self) -> PlannedImage:
        """Return the image; raises IntegrityError."""
        with explained(self._what):
            return planned_image(self._pack)

    def document(self, name: str, limit: int) -> bytes | None:
        """Return None: `image` has read them all."""
        del name, limit
        return None

    def layer(self, name: str, expected: Expected, progress: Progress) -> StagedLayer | None:
        """Ingest a layer."""
        section = self._layers[int(name)]
        progress.layer(expected.diff_id or name, section.size)
        with explained(self._what), closing(PackedTars(self._pack, self._what)) as tars:
            stream = TarStream(tars.chunks(section))
            return ingest(self._store, stream, self._what, expected, progress.advance)

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
