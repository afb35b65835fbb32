"""What a request for a run means, by the code of every run; and what is not for a holder."""

from collections.abc import Sequence
from dataclasses import dataclass

from rootless.cli.arguments import run_request
from rootless.cli.fetch import image_for_run
from rootless.cli.profile_values import with_profiles
from rootless.cli.straight import read
from rootless.containers import keep
from rootless.containers.container import OverlayRoot
from rootless.containers.record import Record
from rootless.containers.request import RunRequest
from rootless.paths import Paths


class Declined(Exception):
    """The client has to take the ordinary way."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a request means."""

    paths: Paths
    record: Record
    request: RunRequest
    needs: tuple[str, ...]
    command: tuple[str, ...]
    """What of the words is the command, at their end; none where a profile says it."""

    def without_command(self, words: list[str]) -> list[str]:
        """Return the words up to the image's name: what decides of all but the command."""
        return words[: len(words) - len(self.command)]


def plan(words: list[str]) -> Planned:
    """Return what the words of a command mean, in this process's environment.

    Raises Declined, RootlessError.
    """
    given = read(words)
    if given is None or words[:1] != ["run"]:
        raise Declined("unusual words")
    own = given["words"] or []
    given = with_profiles(given) if given["profile"] else given
    for name in _UNSUPPORTED:
        if given[name]:
            raise Declined(name)
    image, request = run_request(given)
    if not image or request.network.kind.value not in ("host", "none"):
        raise Declined("network")
    paths = Paths.from_environment()
    record, needs = keep.passing(paths, image_for_run(image, given, _declined), request)
    container = record.container
    root = container.root
    if not isinstance(root, OverlayRoot) or root.kept is not None:
        raise Declined("upperdir")
    if container.maps.privileged or container.pid or root.driver == "fuse":
        raise Declined("maps")
    if container.seccomp is not None and container.seccomp.notifies:
        raise Declined("seccomp")
    if container.maps.reason and not (paths.runtime / "said-single-id").exists():
        raise Declined("to be said")
    return Planned(paths, record, request, needs, _command_in(own, given["words"]))


def _command_in(own: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Return what of a command line's own words is the command, of those that profiles made."""
    has_image = list(words[: len(own)]) == list(own)
    return tuple(own[1:] if has_image else own) if len(words) == len(own) + (not has_image) else ()


_UNSUPPORTED = (
    *("bundle", "detach", "name", "publish", "pid", "overlay", "cidfile", "pidfile"),
    *("verify_key", "signature_policy", "health_cmd"),
    *("hpc", "gpus", "ipc"),  # they speak of who calls, and of his files
)


def _declined() -> str:
    raise Declined("not in the store")
