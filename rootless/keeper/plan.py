"""What a request for a run means, by the code of every run; and what is not for a holder."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rootless.bundle import batch
from rootless.cli.arguments import run_request
from rootless.cli.fetch import image_for_run
from rootless.cli.profile_values import with_profiles
from rootless.cli.straight import read
from rootless.containers import keep
from rootless.containers.container import OverlayRoot
from rootless.containers.id_files import check_new
from rootless.containers.record import Record
from rootless.containers.request import RunRequest
from rootless.paths import Paths


class Declined(Exception):
    """The client has to take the ordinary way."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants: an image in the store, and all that he says of the run."""

    paths: Paths
    image: str
    request: RunRequest
    command: tuple[str, ...]
    """What of the words is the command, at their end; none where a profile says it."""

    def without_command(self, words: list[str]) -> list[str]:
        """Return the words up to the image's name: what decides of all but the command."""
        return words[: len(words) - len(self.command)]


@dataclass(frozen=True, slots=True)
class Planned:
    """What that means.

    Attributes:
        asked: What was asked for.
        record: The container; of one that is kept, as it would be.
        needs: What the store must not collect while it runs.
    """

    asked: Asked
    record: Record
    needs: tuple[str, ...]

    @property
    def paths(self) -> Paths:
        """Return where things lie."""
        return self.asked.paths

    @property
    def request(self) -> RunRequest:
        """Return the options."""
        return self.asked.request

    def check_said(self, tty: str) -> None:
        """Raise Declined where the person at a terminal is to be told something first."""
        reason = self.record.container.maps.reason
        said = self.paths.runtime / "said-single-id"
        if tty and reason and not (self.request.detach or said.exists()):
            raise Declined("to be said")

    @property
    def may_wait(self) -> bool:
        """Tell whether it can be made before anybody asks: it takes nothing that others want."""
        request, root = self.request, self.record.container.root
        takes = (request.name, request.devices, request.edits, request.ports)
        others = (request.publish_all, request.volumes_from, request.options.privileged)
        notes = (request.cidfile, request.pidfile, request.detach, request.job is not None)
        if not isinstance(root, OverlayRoot) or root.kept is not None:
            return False
        return not any((*takes, *others, *notes))


def ask(words: list[str]) -> Asked:
    """Return what the words of a command ask for, in this process's environment.

    Raises Declined, RootlessError.
    """
    given = read(words)
    if given is None or words[:1] != ["run"]:
        raise Declined("unusual words")
    own = given["words"] or []
    given = with_profiles(given) if given["profile"] else given
    # What is in the background has nothing of the caller's but what the words say.
    for name in _NEVER if given["detach"] else (*_NEVER, *_NOT_IN_FRONT):
        if given[name]:
            raise Declined(name)
    image, request = run_request(given)
    if not image:
        raise Declined("bundle")
    image = image_for_run(image, given, _declined)
    request = request if request.detach else _in_front(request)
    return Asked(Paths.from_environment(), image, request, _command_in(own, given["words"]))


def plan(asked: Asked) -> Planned:
    """Return what a request means; nothing is made for it. Raises Declined, RootlessError."""
    record, needs = keep.passing(asked.paths, asked.image, asked.request)
    if not isinstance(record.container.root, OverlayRoot):
        raise Declined("no overlay")
    if not asked.request.detach:
        _check_in_front(asked, record)
    return Planned(asked, record, needs)


def _check_in_front(asked: Asked, record: Record) -> None:
    container = record.container
    root = container.root
    if asked.request.network.is_joined:
        raise Declined("network")
    assert isinstance(root, OverlayRoot)  # noqa: S101 - as planned
    if container.spec.process.oom_score_adj is not None:  # of PID 1, and so of its children
        raise Declined("score")
    if container.maps.privileged or container.joins_pids or root.driver == "fuse":
        raise Declined("maps")
    if container.seccomp is not None and container.seccomp.notifies:
        raise Declined("seccomp")


def _in_front(request: RunRequest) -> RunRequest:
    """Return the request with what does not depend on where this process is, and what it has."""
    check_new(request.cidfile)
    here = {
        name: os.path.abspath(path)
        for name, path in (("cidfile", request.cidfile), ("pidfile", request.pidfile))
        if path
    }
    fds = request.passed_fds if request.job is None else batch.named_fds(os.environ)
    return replace(request, **here, passed_fds=fds)  # type: ignore[arg-type]


def _command_in(own: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Return what of a command line's own words is the command, of those that profiles made."""
    has_image = list(words[: len(own)]) == list(own)
    return tuple(own[1:] if has_image else own) if len(words) == len(own) + (not has_image) else ()


_NEVER = ("bundle", "verify_key", "signature_policy")
_NOT_IN_FRONT = ("health_cmd", "attach", "sig_proxy")


def _declined() -> str:
    raise Declined("not in the store")
