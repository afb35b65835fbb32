"""What `--build-context NAME=…` gives: a folder to copy from, or an image in place of that name.

The name comes before that of an image, and for `--from` before that of a stage. A folder has an
ignore file of its own.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rootless.errors import InvalidInput

if TYPE_CHECKING:
    from rootless.build.context_folder import ContextFolder

_IMAGE = re.compile(r"(?:docker-image|container-image|docker)://(.+)")


@dataclass(slots=True)
class NamedContexts:
    """The contexts beside the main one.

    Attributes:
        folders: Paths, by name.
        images: Names of images, by name.
    """

    folders: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    _open: "dict[str, ContextFolder]" = field(default_factory=dict)

    def folder(self, name: str) -> str:
        """Return the folder of a name; "" for none."""
        return self.folders.get(name.lower(), "")

    def image(self, name: str) -> str:
        """Return the image that a name means; the name itself where nothing else is said."""
        return self.images.get(name.lower(), name)

    def source(self, name: str) -> "ContextFolder":
        """Return the folder of a name, opened once; raises NotFound, InvalidInput."""
        if name not in self._open:
            from rootless.build.context import ignoring  # noqa: PLC0415 - few builds have one

            self._open[name] = ignoring(self.folder(name))
        return self._open[name]

    def close(self) -> None:
        """Let go of the folders."""
        for each in self._open.values():
            each.close()
        self._open = {}


def named_contexts(words: Iterable[str]) -> NamedContexts:
    """Read what was given; raises InvalidInput.

    Args:
        words: NAME=FOLDER or NAME=docker-image://IMAGE each.
    """
    folders: dict[str, str] = {}
    images: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        image = _IMAGE.fullmatch(value)
        if not name or not value:
            raise InvalidInput("not a build context", word, "NAME=FOLDER")
        if image is not None:
            images[name.lower()] = image[1]
        elif os.path.isdir(value):
            folders[name.lower()] = value
        else:
            fix = f"an image is named so: {name}=docker-image://IMAGE"
            raise InvalidInput("no such folder for a build context", value, fix)
    return NamedContexts(folders, images)
