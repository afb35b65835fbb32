"""A shell in an image, in the words of `run --native`, or of `exec` where it is open already.

As the caller, only his own ID is mapped: what he writes anywhere is his. As root, root inside is
the caller outside: files that either makes in the other's absence belong to him.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rootless.cli import actions
from rootless.cli.straight import read
from rootless.containers import record as records
from rootless.containers.record import Record
from rootless.containers.status import look
from rootless.errors import Conflict, InvalidInput, NotFound
from rootless.oci.reference import parse_reference
from rootless.paths import Paths

MARK = "ROOTLESS_SHELL"
"""Variable that has the name of the shell that one is in, for prompts of one's own."""

_FIND = 'for s in "$0" /bin/bash /bin/sh; do [ -x "$s" ] && exec "$s"; done; exit 127'


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for.

    Attributes:
        image: The image's name.
        command: What to run; empty for a shell.
        name: Of the container.
        root: Be root inside.
        remove: Keep nothing.
        options: Options of `run` by their long names, with their values.
    """

    image: str
    command: tuple[str, ...]
    name: str
    root: bool = False
    remove: bool = False
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()


def name_for(image: str) -> str:
    """Return the name of an image's shell: of `docker.io/library/debian:12` `shell-debian-12`."""
    if image.startswith(("/", "./", "../")):
        words = [os.path.basename(image).partition(".")[0]]
    else:
        parsed = parse_reference(image)
        tag = parsed.tag if parsed.tag != "latest" else ""
        words = [parsed.path.rpartition("/")[2], tag or (parsed.digest or "")[7:19]]
    text = "-".join(["shell", *(word for word in words if word)])
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text)


def open_shell(wanted: Wanted) -> int:
    """Run it, or join the one that is open; return the status of the shell."""
    joined = _running(wanted)
    if joined is not None:
        return _call(list(_exec_words(wanted, joined)))
    return _call(list(run_words(wanted)))


def run_words(wanted: Wanted) -> Iterator[str]:
    """Yield the words of `run`."""
    yield from ("run", "--native", f"--name={wanted.name}", "--entrypoint=")
    yield from ("--rm",) if wanted.remove else ()
    yield from ("--user=0",) if wanted.root else ()
    yield from (f"--env={each}" for each in prompt(wanted))
    yield from (f"--{option}={each}" for option, values in wanted.options for each in values)
    yield from ("--", wanted.image, *_command(wanted))


def prompt(wanted: Wanted) -> tuple[str, ...]:
    """Return the variables that have the prompt show where one is.

    A shell's own files set PS1; bash evaluates PROMPT_COMMAND after them. The others take PS1 from
    the environment where no file of theirs sets it.
    """
    where = f"({wanted.name}) "
    sign = "#" if wanted.root else "$"
    return (
        f"{MARK}={wanted.name}",
        f"PS1={where}{sign} ",
        f'PROMPT_COMMAND=PS1="{where}${{PS1#"{where}"}}"',
    )


def _command(wanted: Wanted) -> tuple[str, ...]:
    """Return the command; which shell there is can be told inside only, where one is installed."""
    if wanted.command:
        return wanted.command
    return ("/bin/sh", "-c", _FIND, os.environ.get("SHELL") or "/bin/bash")


def _running(wanted: Wanted) -> Record | None:
    paths = Paths.from_environment()
    try:
        found = records.find(paths, wanted.name)
    except NotFound:
        return None
    if found.name != wanted.name or not look(paths, found).is_alive:
        return None
    is_root = found.container.spec.process.user.uid == 0
    if is_root != wanted.root:
        who = "root" if is_root else "you"
        fix = "end that one first, or choose another --name"
        raise Conflict(f"the shell is open as {who}", wanted.name, fix)
    return found


def _exec_words(wanted: Wanted, running: Record) -> Iterator[str]:
    """Yield the words of `exec`; only the environment can be had otherwise than it is there."""
    given = dict(wanted.options)
    if given.keys() - {"env"}:
        other = min(given.keys() - {"env"})
        raise Conflict(f"the shell is open without this --{other}", wanted.name, "end it first")
    yield from ("exec", "--interactive")
    yield from ("--tty",) if os.isatty(0) and os.isatty(1) else ()
    folder = os.getcwd()
    places = (each.destination for each in running.container.spec.mounts if each.type == "bind")
    if any(f"{folder}/".startswith(f"{place}/") for place in places):
        yield f"--workdir={folder}"
    passed = [name for name in ("TERM", "COLORTERM") if name in os.environ]
    for each in (*passed, *given.get("env", ())):
        yield f"--env={each}"
    yield from (running.id, *_command(wanted))


def _call(words: list[str]) -> int:
    given = read(words)
    if given is None:
        raise InvalidInput("not a word that can be passed on", " ".join(words[-1:]))
    return actions.exec_(given) if words[0] == "exec" else actions.run(given)
