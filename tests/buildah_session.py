"""Debian's buildah of an ordinary user, with a store of its own: the judge of `rootless build`.

Steps run with `--isolation chroot`, which needs no OCI runtime and no cgroups of the user's; images
are of the docker format, as OCI's has no place for HEALTHCHECK, SHELL and ONBUILD.
"""

import hashlib
import json
import os
import pickle
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import own_folder
from listing import Item, Listing, list_folder

PLAIN = ("--isolation=chroot", "--network=host", "--format=docker", "--layers", "--pull-never")


@dataclass(frozen=True, slots=True)
class Shown:
    """An image as buildah has it: every name with all that belongs to it, digests, the config."""

    listing: Listing
    contents: dict[bytes, str]
    config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Buildah:
    """buildah in a folder of its own."""

    folder: Path

    @classmethod
    def make(cls, demo_image: str) -> "Buildah":
        """Make the folder and pull the demo image into its store as `debian-demo`."""
        buildah = cls(own_folder.make("buildah."))
        buildah.pull(f"oci:{demo_image}", "debian-demo")
        return buildah

    @property
    def environ(self) -> dict[str, str]:
        """The environment that it has."""
        return own_folder.environ(self.folder)

    def command(self, *words: str) -> list[str]:
        """Return the argument list."""
        places = (f"--root={self.folder}/root", f"--runroot={self.folder}/runroot")
        return ["buildah", *places, "--storage-driver=overlay", *words]

    def ok(self, *words: str, timeout: float = 120) -> bytes:
        """Run it, expect status 0, return what it printed."""
        done = subprocess.run(
            self.command(*words),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=self.environ,
            cwd=self.folder,
            timeout=timeout,
            check=False,
        )
        said = done.stderr.decode(errors="replace")
        assert done.returncode == 0, f"{words}: status {done.returncode}\n{said[-2000:]}"
        return done.stdout

    def pull(self, source: str, name: str) -> None:
        """Take an image from where containers-transports(5) can name it."""
        image_id = self.ok("pull", "-q", source).decode().split()[-1]
        self.ok("tag", image_id, f"localhost/{name}")

    def build(self, name: str, words: Sequence[str], *options: str) -> None:
        """Build an image."""
        self.ok("bud", *PLAIN, *options, "-t", name, *words)

    def shown(self, *names: str) -> list[Shown]:
        """Mount images, list them, and read their configs."""
        words = ("unshare", sys.executable, __file__, *self.command(), "--", *names)
        return [
            Shown({path: Item(*item) for path, item in listing.items()}, contents, config)
            for listing, contents, config in pickle.loads(self.ok(*words))
        ]

    def close(self) -> None:
        """Remove the store, whose files are sub-IDs' ones."""
        self.ok("unshare", "rm", "-rf", f"{self.folder}/root", f"{self.folder}/runroot")
        shutil.rmtree(self.folder)


def _digests(root: Path, listing: Listing) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for path, item in listing.items():
        if stat.S_ISREG(item.mode):
            with open(os.path.join(os.fsencode(root), path), "rb") as file:
                found[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _main(command: list[str], names: list[str]) -> None:
    """Inside the user namespace: list each image's root."""
    shown = []
    for name in names:
        ask = [*command, "inspect", "--type", "image", "--format", "{{.Config}}", name]
        config = json.loads(subprocess.check_output(ask))
        # podman, since `buildah from` does what ONBUILD says
        mount = ["podman", *command[1:], "image", "mount", name]
        root = subprocess.check_output(mount, text=True).strip()
        listing = list_folder(root)
        items = {path: tuple(item) for path, item in listing.items()}
        shown.append((items, _digests(Path(root), listing), config))
        subprocess.run([*mount[:-2], "unmount", name], check=True, stdout=subprocess.DEVNULL)
    sys.stdout.buffer.write(pickle.dumps(shown))


if __name__ == "__main__":
    _split = sys.argv.index("--")
    _main(sys.argv[1:_split], sys.argv[_split + 1 :])
