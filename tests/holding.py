"""A user whose runs go through a namespace holder."""

import contextlib
import time
from dataclasses import replace
from pathlib import Path

from executable import Home, Rootless


def goes_through(rootless: Rootless, *words: str) -> bool:
    """Run `true` in the demo image; tell whether a holder's keeper made the container."""
    result = rootless("--timings", "run", *words, "debian-demo", "true")
    assert result.status == 0, result.stderr
    return "client: told what to do" in result.stderr


def warm(rootless: Rootless, *words: str) -> None:
    """Run until a holder serves such runs."""
    deadline = time.monotonic() + 30
    while not goes_through(rootless, *words):
        assert time.monotonic() < deadline, "no holder comes to serve this"
        time.sleep(0.1)


def with_holder(rootless: Rootless, mode: str) -> Rootless:
    """Return the executable with another mode."""
    home = rootless.home
    return replace(rootless, home=Home(home.path, {**home.environ, "ROOTLESS_HOLDER": mode}))


def holders(rootless: Rootless) -> list[int]:
    """Return the process IDs of the holders in a user's folders."""
    return [pid for pid, name in with_all_it_forked(rootless) if name == "rootless-holder"]


def with_all_it_forked(rootless: Rootless) -> list[tuple[int, str]]:
    """Return process ID and name of the holders in a user's folders, and of what they forked."""
    found: dict[int, str] = {}
    others: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if {b"rootless.keeper", str(rootless.home.runtime).encode()} <= set(words):
                    found[int(entry.name)] = name
                else:
                    others[int(entry.name)] = int(rest.split()[1]), name
    # a container's first process hides its words
    found |= {pid: name for pid, (parent, name) in others.items() if parent in found}
    return list(found.items())
