"""A part of an open file that is read at positions: a whole image, or a partition of a file."""

import os

from rootless.errors import IntegrityError


class Window:
    """Reads what lies between two positions of a file, and nothing else.

    Args:
        fd: The file; stays the caller's.
        start: Where the part begins.
        size: Its length.
        what: What the user calls the file, for messages.

    Attributes:
        start: The same.
        size: The same.
    """

    def __init__(self, fd: int, start: int, size: int, what: str) -> None:
        self._fd = fd
        self._what = what
        self.start = start
        self.size = size

    def read(self, position: int, size: int) -> bytes:
        """Return that many bytes; raises IntegrityError where there are not as many."""
        if position < 0 or size < 0 or position + size > self.size:
            raise self.damaged(f"{size} bytes at {position} lie beyond the end")
        data = os.pread(self._fd, size, self.start + position)
        if len(data) != size:
            raise self.damaged("the file ends early")
        return data

    def read_up_to(self, position: int, size: int) -> bytes:
        """Return at most that many bytes."""
        return self.read(position, max(0, min(size, self.size - position)))

    def damaged(self, why: str) -> IntegrityError:
        """Return the error about this image."""
        return IntegrityError("damaged squashfs image", f"{self._what}: {why}")
