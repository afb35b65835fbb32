"""A small image that can run something: a shell with its libraries, taken out of the demo image.

For tests of images whose config or whose hostile files matter, and which need a program all the
same. The shell's own words are all there is: echo, test, read, pwd, cd, printf, exit.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import images
from executable import Rootless

# Adds nothing but another chain ID.
EMPTY = images.LayerBuilder().directory("empty")

_PACK = "tar --dereference -cf /out/shell.tar $(ldd /bin/sh | grep -o '/[^ ]*') /bin/sh 2>/dev/null"


def take_shell(demo: Rootless, folder: Path) -> bytes:
    """Return a layer with /bin/sh and what it is linked with."""
    options = ("--userns", "single", "-v", f"{folder}:/out")
    demo.ok("run", *options, "debian-demo", "sh", "-c", _PACK)
    return (folder / "shell.tar").read_bytes()


def load_image(
    rootless: Rootless,
    layers: list[images.Layer],
    config: Mapping[str, Any] | None = None,
    name: str = "small",
) -> None:
    """Load an image of these layers into a user's store."""
    folder = rootless.home.path / f"layout-{name}"
    images.oci_layout(folder, layers, tag=name, config=config)
    rootless.ok("load", "-q", folder)
