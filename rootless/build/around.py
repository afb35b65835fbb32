"""What the steps of a build have around them: stages, images, the time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rootless.build.request import BuildRequest
from rootless.build.stages import Plan
from rootless.build.state import StageState
from rootless.errors import InvalidInput
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import Digest
from rootless.oci.document import MAX_CONFIG_BYTES, parse_document
from rootless.paths import Paths

if TYPE_CHECKING:
    from rootless.build.copy_source import CopySource


@dataclass(frozen=True, slots=True)
class Base:
    """An image that a file names: what it is, and its config."""

    image: Image
    document: Mapping[str, Any]


@dataclass(slots=True)
class Around:
    """What a step may look at beside its own stage.

    Attributes:
        store: Where layers are, and are kept.
        paths: Where things lie.
        request: What was asked for.
        plan: The stages of the file.
        image_of: Brings an image that the file names into the store, where that is due.
        open_context: Opens the context.
        folder: The context's path; "" for an archive.
        stages: What stages that are built have come to, by index.
        bases: Images that the file names, by the name that it has for each.
    """

    store: Store
    paths: Paths
    request: BuildRequest
    plan: Plan
    image_of: Callable[[str], Image]
    open_context: "Callable[[], CopySource]"
    folder: str = ""
    stages: dict[int, StageState] = field(default_factory=dict)
    bases: dict[str, Base] = field(default_factory=dict)
    _context: "CopySource | None" = None

    def base(self, name: str) -> Base:
        """Return an image that the file names; asked for once. Raises what keeps from that."""
        if name not in self.bases:
            self._refuse_folder(name, "a folder is no image")
            image = self.image_of(self.request.contexts.image(name))
            data = self.store.read_blob(image.config_digest, MAX_CONFIG_BYTES)
            document = parse_document(data, "image config", limit=MAX_CONFIG_BYTES).value
            self.bases[name] = Base(image, document)
        return self.bases[name]

    def context(self) -> "CopySource":
        """Return the context; opened once. Raises NotFound, InvalidInput."""
        if self._context is None:
            self._context = self.open_context()
        return self._context

    def layers_of(self, name: str) -> tuple[Digest, ...]:
        """Return the layers of what `--from=NAME` or a mount's `from` means.

        Raises:
            RootlessError: The image is not to be had.
        """
        self._refuse_folder(name, "a folder cannot be mounted")
        source = self.plan.source(name)
        if isinstance(source, int) and self.request.contexts.image(name) == name:
            return self.stages[source].diff_ids
        return self.base(name).image.config.diff_ids

    def source_of(self, name: str) -> "CopySource | None":
        """Return what `--from=NAME` copies from where that is a folder; "" is the context.

        Raises:
            RootlessError: It cannot be read.
        """
        if not name:
            return self.context()
        return self.request.contexts.source(name) if self.request.contexts.folder(name) else None

    def folder_of(self, name: str) -> str:
        """Return the path of that folder; "" where it is none."""
        return self.request.contexts.folder(name) if name else self.folder

    def _refuse_folder(self, name: str, what: str) -> None:
        folder = self.request.contexts.folder(name)
        if folder:
            raise InvalidInput(what, f"{name}, by --build-context {folder}", "COPY reads from it")

    def time_of(self, created: int) -> int:
        """Return the time that a step is said to be of, which was done then."""
        return created if self.request.epoch is None else self.request.epoch

    def now(self) -> int:
        """Return the time of a step that is done now."""
        return self.time_of(int(time.time()))
