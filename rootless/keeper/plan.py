"""What a request for a run means, by the code of every run; and what is not for a holder."""

from dataclasses import dataclass

from rootless.cli.arguments import run_request
from rootless.cli.fetch import image_for_run
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

    def without_command(self, words: list[str]) -> list[str]:
        """Return the words up to the image's name: what decides of all but the command."""
        return words[: len(words) - len(self.request.options.command)]


def plan(words: list[str]) -> Planned:
    """Return what the words of a command mean, in this process's environment.

    Raises Declined, RootlessError.
    """
    given = read(words)
    if given is None or words[:1] != ["run"]:
        raise Declined("unusual words")
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
    if container.spec.process.oom_score_adj is not None:  # of PID 1, and so of its children
        raise Declined("score")
    if container.maps.privileged or container.pid or root.driver == "fuse":
        raise Declined("maps")
    if container.seccomp is not None and container.seccomp.notifies:
        raise Declined("seccomp")
    if container.maps.reason and not (paths.runtime / "said-single-id").exists():
        raise Declined("to be said")
    return Planned(paths, record, request, needs)


_UNSUPPORTED = (
    *("bundle", "detach", "name", "publish", "pid", "tty", "overlay", "cidfile", "pidfile"),
    *("verify_key", "signature_policy", "health_cmd", "attach", "sig_proxy"),
    *(
        "native",
        "share",
        "profile",
        "hpc",
        "gpus",
        "ipc",
    ),  # they speak of who calls, and of his files
)


def _declined() -> str:
    raise Declined("not in the store")
