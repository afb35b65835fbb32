"""Users who build: stores that have the bases, and each case's image built once by everybody."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from build_cases import Case, in_order, steps
from buildah_session import Buildah, Shown
from executable import Home, Rootless


@dataclass
class Builders:
    """Ours and the judge, who build an image when somebody first asks for it.

    Attributes:
        contexts: What they build from.
        make_rootless: Gives a user of ours.
        make_buildah: Gives the judge.
        began_ns: Before anybody has built anything.
    """

    contexts: Path
    make_rootless: Callable[[], Rootless]
    make_buildah: Callable[[], Buildah]
    began_ns: int = field(default_factory=time.time_ns)
    _rootless: dict[str, Rootless] = field(default_factory=dict)
    _buildah: list[Buildah] = field(default_factory=list)
    _shown: dict[str, Shown] = field(default_factory=dict)
    _done: set[tuple[str, str]] = field(default_factory=set)

    def ours(self, case: Case, id_map: str, options: tuple[str, ...]) -> Rootless:
        """Return the user whose store has what we build of a case; one for each ID map."""
        if id_map not in self._rootless:
            self._rootless[id_map] = self.make_rootless()
        rootless = self._rootless[id_map]
        for each in in_order((case.name,)):
            if (id_map, each.name) not in self._done:
                for name, words in steps(each, self.contexts):
                    rootless.ok("build", *options, "-t", name, *words, timeout=120)
                self._done.add((id_map, each.name))
        return rootless

    def judge(self, case: Case) -> tuple[Buildah, Shown]:
        """Return the buildah whose store has what it builds of a case, and what that is."""
        if not self._buildah:
            self._buildah.append(self.make_buildah())
        (buildah,) = self._buildah
        for each in in_order((case.name,)):
            if ("buildah", each.name) not in self._done:
                for name, words in steps(each, self.contexts, is_judge=True):
                    buildah.build(name, words)
                self._done.add(("buildah", each.name))
        if case.name not in self._shown:
            (self._shown[case.name],) = buildah.shown(case.name)
        return buildah, self._shown[case.name]

    def close(self) -> None:
        """Remove the judge's store."""
        for each in self._buildah:
            each.close()


def with_demo(path: Path, demo_home: Home) -> Rootless:
    """Make a user whose store has the demo image, by hard links: a store's files are replaced."""
    home = Home.make(path)
    home.runtime.mkdir(mode=0o700)
    (home.runtime / "said-single-id").touch()
    ignored = shutil.ignore_patterns("scratch", "containers", "locks", "build-cache")
    shutil.copytree(demo_home.store, home.store, copy_function=os.link, ignore=ignored)
    for name in ("scratch", "locks"):
        (home.store / name).mkdir(mode=0o700)
    return Rootless(home)
