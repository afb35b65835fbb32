"""A step that can be looked up, and done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from rootless.image.ingest import StagedLayer

Out = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an instruction is going to do.

    Attributes:
        found_by: Yields the keys that it is looked up by, the cheapest first.
        make: Makes its layer, given who takes output; None where it changes nothing.
        content: Says what it read, as the history has it.
        makes_layer: It may make one; the others are done at once.
    """

    found_by: Callable[[], Iterable[Digest]]
    make: "Callable[[Out], StagedLayer | None]"
    content: Callable[[], str] = str
    makes_layer: bool = True
