"""The keys that take a terminal away from a container and leave it running: ctrl-p,ctrl-q."""

from rootless.errors import InvalidInput

DEFAULT = "ctrl-p,ctrl-q"
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


def parse(text: str) -> bytes:
    """Return the bytes that the keys send; "" is no keys. Raises InvalidInput."""
    return b"".join(_key(key, text) for key in text.split(",")) if text else b""


def _key(key: str, text: str) -> bytes:
    name = key.lower().removeprefix("ctrl-")
    if key.lower().startswith("ctrl-") and len(name) == 1 and name in _CONTROL:
        return bytes([_CONTROL.index(name)])
    if len(key) == 1 and key.isascii() and key.isprintable():
        return key.encode()
    raise InvalidInput("not a sequence of keys", text, "such as ctrl-p,ctrl-q or a,ctrl-x")


class DetachKeys:
    """Looks for the sequence in what is typed, piece by piece.

    Attributes:
        are_pressed: The whole sequence has come.
    """

    def __init__(self, sequence: bytes) -> None:
        self.are_pressed = False
        self._sequence = sequence
        self._held = b""

    def filter(self, data: bytes) -> bytes:
        """Return what is to be passed; what may be the sequence's beginning is held back."""
        if not self._sequence or not data:
            return data
        data = self._held + data
        self._held = b""
        at = data.find(self._sequence)
        if at >= 0:
            self.are_pressed = True
            return data[:at]
        for length in range(min(len(self._sequence) - 1, len(data)), 0, -1):
            if data.endswith(self._sequence[:length]):
                self._held = data[-length:]
                return data[:-length]
        return data
