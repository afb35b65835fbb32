"""What the requests of a writable mount are answered with, in one place."""

from dataclasses import dataclass

from .attributes import AttributeMaker
from .fast_path import FastPath
from .features import Features
from .handles import Handles
from .overlay import Overlay
from .prefetch import Prefetch
from .untouched import Untouched


@dataclass(frozen=True, slots=True)
class Served:
    """An overlay that is being served.

    Attributes:
        path: Where requests are and answers go.
        overlay: What there is.
        attributes: How it is shown.
        features: What is offered of what an overlay can do.
        handles: The open files.
        untouched: Answers about what nobody has changed; None where the lower is no merged tree.
        prefetch: Pushes contents ahead; None where the lower is no merged tree.
    """

    path: FastPath
    overlay: Overlay
    attributes: AttributeMaker
    features: Features
    handles: Handles
    untouched: Untouched | None = None
    prefetch: Prefetch | None = None
