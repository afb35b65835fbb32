"""What the steps of a build have around them: stages, images, the time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rootless.build.request import BuildRequest
from rootless.build.stages import Plan, Stage
from rootless.build.state import StageState
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import Digest
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

    def layers_of(self, name: str, stage: Stage) -> tuple[Digest, ...]:
        """Return the layers of what `--from=NAME` or a mount's `from` means in a stage.

        Raises:
            InvalidInput: No stage before this one is called so.
            RootlessError: The image is not to be had.
        """
        source = self.plan.source(name, stage)
        if isinstance(source, int):
            return self.stages[source].diff_ids
        return self.image(source).config.diff_ids

    def time_of(self, created: int) -> int:
        """Return the time that a step is said to be of, which was done then."""
        return created if self.request.epoch is None else self.request.epoch

    def now(self) -> int:
        """Return the time of a step that is done now."""
        return self.time_of(int(time.time()))
