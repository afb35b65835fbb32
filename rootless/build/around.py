"""What the steps of a build have around them: stages, images, the time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rootless.build.request import BuildRequest
from rootless.build.stages import Plan
from rootless.build.state import StageState
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.paths import Paths


@dataclass(slots=True)
class Around:
    """What a step may look at beside its own stage.

    Attributes:
        store: Where layers are, and are kept.
        paths: Where things lie.
        request: What was asked for.
        plan: The stages of the file.
        image_of: Brings an image that the file names into the store, where that is due.
        stages: What stages that are built have come to, by index.
        images: Images that the file names, by the name that it has for each.
    """

    store: Store
    paths: Paths
    request: BuildRequest
    plan: Plan
    image_of: Callable[[str], Image]
    stages: dict[int, StageState] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)

    def image(self, name: str) -> Image:
        """Return an image that the file names; asked for once."""
        if name not in self.images:
            self.images[name] = self.image_of(name)
        return self.images[name]

    def time_of(self, created: int) -> int:
        """Return the time that a step is said to be of, which was done then."""
        return created if self.request.epoch is None else self.request.epoch

    def now(self) -> int:
        """Return the time of a step that is done now."""
        return self.time_of(int(time.time()))
