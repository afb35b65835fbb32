"""Check `additional-stores`: the stores of others that are read beside one's own."""

import os
from dataclasses import dataclass

from rootless.doctor.check import Check, State
from rootless.errors import RootlessError
from rootless.linux.statfs import statfs
from rootless.paths import Paths
from rootless.settings import additional_stores


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What is known of one.

    Attributes:
        path: Its folder.
        file_system: The name of the file system's type; "" where it is not there.
        read_errno: Why its list of images cannot be read; 0 where it can.
    """

    path: str
    file_system: str
    read_errno: int


@dataclass(frozen=True, slots=True)
class AdditionalFacts:
    """What is known of all.

    Attributes:
        stores: Each, in the order in which they are asked.
        fault: What is wrong with the settings that name them.
    """

    stores: tuple[StoreFacts, ...]
    fault: str = ""


def gather(paths: Paths) -> AdditionalFacts:
    """Look at every store that the environment or the settings name."""
    try:
        found = additional_stores(paths)
    except RootlessError as error:
        return AdditionalFacts((), str(error))
    return AdditionalFacts(tuple(_store(os.fspath(path)) for path in found))


def _store(path: str) -> StoreFacts:
    try:
        os.close(os.open(os.path.join(path, "index.json"), os.O_RDONLY | os.O_CLOEXEC))
        return StoreFacts(path, statfs(path).type_name, 0)
    except OSError as error:
        return StoreFacts(path, "", error.errno or 1)


def check_additional(facts: AdditionalFacts) -> Check:
    """Judge them: one that is not there is left out at each run."""
    name = "additional-stores"
    if facts.fault:
        return Check(name, State.FAILED, "cannot be known", facts.fault, "correct the settings")
    if not facts.stores:
        return Check(name, State.OK, "none")
    seen = ", ".join(f"{store.path} ({store.file_system or 'not there'})" for store in facts.stores)
    away = [store for store in facts.stores if store.read_errno]
    if not away:
        return Check(name, State.OK, seen)
    causes = (f"{store.path}/index.json: {os.strerror(store.read_errno)}" for store in away)
    fix = "mount it, have its owner run 'rootless store share', or take it out of the settings"
    return Check(name, State.WARNING, seen, "; ".join(causes), fix)
