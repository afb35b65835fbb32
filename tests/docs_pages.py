"""What the reader of each page has in his folder before he follows it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from executable import Home, Rootless
from host_image import write_tar
from squashfs_images import sif_of

WITH_LOGIN = ("docs/registries.md",)
"""Pages whose registry wants a password."""

_PROGRAMS = ("/bin/sh", "/usr/bin/cat", "/usr/bin/ls", "/usr/bin/true")
_CONTAINERFILE = """\
FROM debian AS main
ARG VERSION=1
COPY . /app
RUN --mount=type=secret,id=token echo $VERSION >/etc/version
CMD ["cat", "/etc/version"]

FROM main AS test
RUN test -s /etc/version

FROM main
"""
_PLAIN = "FROM debian\nRUN echo built >/etc/built\n"


class World(Protocol):
    """What is outside."""

    @property
    def keys(self) -> Mapping[str, bytes]:
        """Public keys of who has signed images, PEM by name."""
        ...

    @property
    def certificates(self) -> Path:
        """The registries' CAs."""
        ...

    @property
    def store(self) -> Path:
        """A store with Debian's image."""
        ...


@dataclass(frozen=True, slots=True)
class At:
    """The reader's place.

    Attributes:
        user: He.
        page: What he reads.
        world: What he finds outside.
    """

    user: Home
    page: str
    world: World

    @property
    def home(self) -> Path:
        """His home."""
        return self.user.path / "home"

    @property
    def folder(self) -> Path:
        """Where he stands."""
        return self.home / "project"

    def rootless(self, *words: str | Path) -> str:
        """Run the executable there, as he does."""
        return Rootless(self.user).ok(*words, cwd=self.folder, timeout=300)

    def write(self, name: str, text: str | bytes, *, mode: int = 0o644) -> None:
        """Write a file, below where he stands or at a path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)

    def program(self, name: str, text: str) -> None:
        """Put a script into his PATH."""
        self.write(f"{self.home}/.local/bin/{name}", f"#!/bin/sh\n{text}\n", mode=0o755)

    def shown(self, language: str, number: int = 0) -> str:
        """Return one of the page's blocks of a language, without what it leaves out."""
        found = re.findall(rf"^```{language}\n(.*?)^```", self.page, re.MULTILINE | re.DOTALL)
        return str(found[number]).replace("@sha256:…", "")

    def host(self, *words: str | Path) -> None:
        """Run a program of the host's there."""
        subprocess.run(words, cwd=self.folder, check=True, capture_output=True)


def furnish(home: Home, stocked: Path) -> None:
    """Give a home a store with Debian's image in it."""
    _copy_store(stocked, home.path / "home/.local/share/rootless")
    (home.path / "home/.local/bin").mkdir()
    (home.path / "home/project").mkdir()


def places(home: Path) -> Mapping[str, Path]:
    """Return the folders that stand in for those of a site's machines."""
    names = ("/data", "/etc/keys", "/lustre", "/project", "/srv", "/sw")
    return {name: home / "site" / name.replace("/", "") for name in names}


def _copy_store(source: Path, target: Path) -> None:
    shutil.copytree(
        source,
        target,
        copy_function=os.link,  # what a store holds is replaced, never written to
        ignore=shutil.ignore_patterns("scratch", "containers", "locks"),
    )
    for name in ("scratch", "locks"):
        (target / name).mkdir(mode=0o700)


def _repository(at: At) -> None:
    """Make a repository of git's with a commit, of a project that can be built."""
    at.write("Containerfile", _PLAIN)
    at.write("main.c", "int main(void) { return 0; }\n")
    at.host("git", "init", "-q")
    at.host("git", "add", ".")
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.org")
    at.host("git", *who, "commit", "-q", "-m", "begun")


def _small_tar(at: At, name: str, **files: str) -> None:
    """Write a tar of a root file system with a shell; `files` are scripts, by name."""
    for script, text in files.items():
        at.write(f".files/{script}", f"#!/bin/sh\n{text}\n", mode=0o755)
    named = {f"usr/bin/{script}": at.folder / ".files" / script for script in files}
    write_tar(at.folder / name, _PROGRAMS, files=named)


def _squashed(at: At, name: str) -> None:
    """Write a squashfs image of such a root file system, or a SIF file of it."""
    _small_tar(at, "small.tar", python3='echo "python3 $*"', bash="exit 0")
    image = at.folder / "small.sqfs"
    image.unlink(missing_ok=True)
    words = ("sqfstar", "-quiet", "-no-progress", image)
    with (at.folder / "small.tar").open("rb") as tar:
        subprocess.run(words, stdin=tar, check=True, capture_output=True)
    if name.endswith(".sif"):
        sif_of(image, at.folder / name)
    else:
        shutil.copy(image, at.folder / name)


def _readme(at: At) -> None:
    at.rootless("save", "-q", "-o", "debian.tar", "debian:12")
    _squashed(at, "tool.sif")
    at.write("Containerfile", _PLAIN)


def _aliases(at: At) -> None:
    _repository(at)
    at.write("aliases.toml", at.shown("toml"))
    at.write("config/ruff.toml", "")


def _apptainer(at: At) -> None:
    for name in ("image.sif", "image.sqfs", "x.sif"):
        _squashed(at, name)


def _build(at: At) -> None:
    _repository(at)
    at.write("Containerfile.test", _CONTAINERFILE)
    at.write("../assets/logo.svg", "<svg/>\n")
    at.write(f"{at.home}/.token", "secret\n", mode=0o600)


def _bundles(at: At) -> None:
    (at.folder / "theirs/rootfs").mkdir(parents=True)
    _small_tar(at, "small.tar")
    at.host("tar", "-C", "theirs/rootfs", "-xf", "small.tar")
    at.rootless("bundle", "spec")
    document = json.loads((at.folder / "config.json").read_bytes())
    (at.folder / "config.json").unlink()
    document["process"] |= {"args": ["ls", "/"], "terminal": False}
    at.write("theirs/config.json", json.dumps(document))
    at.host("tar", "-C", "theirs", "-cf", "theirs.tar", ".")


def _config(at: At) -> None:
    at.write(f"{at.home}/.config/rootless/config.toml", at.shown("toml"))
    at.write(".rootless.toml", '[profiles.here]\nimage = "debian"\n')


def _explore(at: At) -> None:
    at.rootless("pull", "-q", "debian:12.1")
    at.rootless("pull", "-q", "debian:12.2")


def _hpc(at: At) -> None:
    lustre, sw = (places(at.home)[name] for name in ("/lustre", "/sw"))
    (lustre / "images").mkdir(parents=True)
    (sw / "images").mkdir(parents=True)
    at.write("job.py", "print(1)\n")
    at.rootless("save", "-q", "-o", "debian.tar", "debian:12")
    at.rootless("pull", "-q", "python:3.12")
    at.rootless("pack", "python:3.12", f"{lustre}/images/python.rlf")


def _images(at: At) -> None:
    at.program("docker", 'exec rootless "$@"')
    at.rootless("save", "-q", "-o", "debian.tar", "debian:12")
    at.rootless("copy", "debian:12", "oci:layout:debian")
    _small_tar(at, "rootfs.tar")
    (at.folder / "rootfs").mkdir()
    at.host("tar", "-C", "rootfs", "-xf", "rootfs.tar")


def _overlay(at: At) -> None:
    at.write("top/new", "new\n")
    at.write("bottom/old", "old\n")
    at.write("middle/between", "between\n")
    at.host("tar", "-C", "middle", "-cf", "middle.tar", ".")


def _pack(at: At) -> None:
    at.rootless("pull", "-q", "python:3.13")


def _push(at: At) -> None:
    _small_tar(at, "small.tar")
    at.rootless("import", "--cmd", "/bin/sh", "small.tar", "app")
    at.rootless("tag", "app", "registry.example/me/app:1")
    at.rootless("tag", "app", "debian")


def _registries(at: At) -> None:
    at.write("token", "open sesame\n", mode=0o600)
    at.write("ca.crt", at.world.certificates.read_bytes())


def _run(at: At) -> None:
    shutil.copy("/usr/share/containers/seccomp.json", at.folder / "profile.json")


def _shell(at: At) -> None:
    at.write(f"{at.home}/.config/rootless/config.toml", '[profiles.gpu]\nenv = { GPU = "no" }\n')


def _signatures(at: At) -> None:
    keys = places(at.home)["/etc/keys"]
    for name, pem in at.world.keys.items():
        at.write(f"{name}.pub", pem)
        at.write(str(keys / f"{name}.pub"), pem)
    policy = at.shown("json")
    for place, folder in places(at.home).items():
        policy = policy.replace(f'"{place}/', f'"{folder}/')
    at.write("policy.json", policy)
    archive = places(at.home)["/srv"] / "images/app.tar"
    archive.parent.mkdir(parents=True)
    at.rootless("save", "-q", "--format", "oci-archive", "-o", archive, "debian:12")


def _store(at: At) -> None:
    for name in ("/sw/images", "/project/images"):
        top, _, rest = name[1:].partition("/")
        target = places(at.home)[f"/{top}"] / rest
        target.parent.mkdir(parents=True)
        _copy_store(at.world.store, target)


def _volumes(at: At) -> None:
    at.write(str(places(at.home)["/data"] / "numbers"), "1 2 3\n")
    at.write("src/main.c", "int main(void) { return 0; }\n")


PREPARED: Mapping[str, Callable[[At], None]] = {
    "README.md": _readme,
    "docs/aliases.md": _aliases,
    "docs/apptainer.md": _apptainer,
    "docs/build.md": _build,
    "docs/bundles.md": _bundles,
    "docs/config.md": _config,
    "docs/explore.md": _explore,
    "docs/hpc.md": _hpc,
    "docs/images.md": _images,
    "docs/overlay.md": _overlay,
    "docs/pack.md": _pack,
    "docs/push.md": _push,
    "docs/registries.md": _registries,
    "docs/run.md": _run,
    "docs/shell.md": _shell,
    "docs/signatures.md": _signatures,
    "docs/store.md": _store,
    "docs/volumes.md": _volumes,
}
