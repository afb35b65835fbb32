"""The process that `exec` runs: read, or the container's own with changes."""

from dataclasses import dataclass, replace
from pathlib import Path

from rootless.errors import InvalidInput, NotFound
from rootless.linux import capset
from rootless.oci.runtime_spec import Capabilities, Process, User, parse_process
from rootless.runtime.status_file import StateFolder


@dataclass(frozen=True, slots=True)
class ProcessWords:
    """What the command line says of the process, with runc's names.

    Attributes:
        file: A file with the whole `process` object; the rest has no say then.
        user: UID[:GID]; "" for the container's own.
    """

    args: tuple[str, ...] = ()
    file: str = ""
    cwd: str = ""
    env: tuple[str, ...] = ()
    terminal: bool = False
    user: str = ""
    additional_gids: tuple[int, ...] = ()
    capabilities: tuple[str, ...] = ()
    no_new_privileges: bool = False


def process_for(root: Path, container_id: str, words: ProcessWords) -> Process:
    """Return the process; raises InvalidInput or NotFound."""
    if words.file:
        return _read(words.file)
    with StateFolder.open(root, container_id) as folder:
        own = folder.spec().process
    return changed(own, words)


def changed(own: Process, words: ProcessWords) -> Process:
    """Return the container's own process with what the words change; pure."""
    if not words.args:
        raise InvalidInput("which command is to be run?", fix="name it after the ID")
    for variable in words.env:
        if "=" not in variable:
            raise InvalidInput("a variable must have the form NAME=VALUE", variable)
    process = replace(
        own,
        args=words.args,
        terminal=words.terminal,
        cwd=words.cwd or own.cwd,
        env=(*own.env, *words.env),
        no_new_privileges=own.no_new_privileges or words.no_new_privileges,
    )
    if not process.cwd.startswith("/"):
        raise InvalidInput("the working directory must be an absolute path", process.cwd)
    if words.user or words.additional_gids:
        process = replace(process, user=_user(own.user, words))
    if words.capabilities:
        process = replace(process, capabilities=_with(own.capabilities, words.capabilities))
    return process


def _read(path: str) -> Process:
    try:
        text = Path(path).read_bytes()
    except FileNotFoundError:
        raise NotFound("no such file", path) from None
    except OSError as error:
        raise InvalidInput(f"cannot read: {error.strerror}", path) from error
    return parse_process(text, path)


def _user(own: User, words: ProcessWords) -> User:
    uid, _, gid = words.user.partition(":")
    for number in filter(None, (uid, gid)):
        if not number.isdecimal():
            raise InvalidInput("a user must have the form UID[:GID]", words.user)
    return replace(
        own,
        uid=int(uid) if uid else own.uid,
        gid=int(gid) if gid else own.gid,
        additional_gids=words.additional_gids or own.additional_gids,
    )


def _with(own: Capabilities | None, names: tuple[str, ...]) -> Capabilities | None:
    if own is None:
        return None  # it has them all
    for name in names:
        if name not in capset.NUMBERS:
            raise InvalidInput("unknown capability", name, "capabilities(7) lists them")

    def added(held: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*held, *names)))

    return replace(
        own,
        bounding=added(own.bounding),
        effective=added(own.effective),
        permitted=added(own.permitted),
    )
