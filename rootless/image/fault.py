"""What is wrong with an object of the store, and what to do about it."""

from dataclasses import dataclass
from typing import Final

DOCUMENT: Final = "document"
LAYER: Final = "layer"
INDEX: Final = "index"
TREE: Final = "tree"

RELOAD: Final = "load or pull the image again"
UNREADABLE: Final = "cannot be read"
REMAKE: Final = "--repair makes it again"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        kind: Of the object: DOCUMENT, LAYER, INDEX or TREE.
        digest: The object: the blob's digest, the layer's diff ID, or the chain ID.
        what: What is wrong: "missing", "damaged: …".
        images: Who needs it: names of images, or their IDs, and containers.
        fix: What to do; empty where it has been put right.
        repaired: It has been put right.
    """

    kind: str
    digest: str
    what: str
    images: tuple[str, ...] = ()
    fix: str = ""
    repaired: bool = False

    @property
    def is_unreadable(self) -> bool:
        """Tell whether the object may be right, and only cannot be read just now."""
        return self.what.startswith(UNREADABLE)

    def __str__(self) -> str:
        needed = f" of {', '.join(self.images)}" if self.images else ""
        after = "repaired" if self.repaired else self.fix
        return f"{self.kind} {self.digest}{needed}: {self.what}" + (f" ({after})" if after else "")
