"""What a build is asked for: the options of `rootless build`, checked and not yet looked up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rootless.build.named_contexts import NamedContexts

if TYPE_CHECKING:  # what only a RUN needs is imported by the first one
    from rootless.containers.request import RunRequest

STANDARD_INPUT = "-"


def _plain_run() -> "RunRequest":
    from rootless.containers.request import RunRequest  # noqa: PLC0415 - not where all is cached

    return RunRequest()


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """The options of a build.

    Attributes:
        context: A folder, an archive of one, or "-" for an archive on standard input.
        containerfile: Its path, "-" for standard input, "" for the one in the context.
        tags: Names for the image, full ones.
        target: The last stage to build, by name or number; "" for the file's last.
        build_args: Values of ARG.
        contexts: Folders and images that go by a name of their own.
        base: What the first FROM is to name instead; "" for what it says.
        labels: Beside those of the file.
        annotations: Of the manifest.
        env: NAME=VALUE each, in the image beside those of the file.
        unset_env: Names that the image is not to have.
        unset_labels: Labels that the image is not to have.
        secrets: `--secret` as given: id=ID[,src=FILE|env=NAME].
        ssh: `--ssh` as given: default|ID[=SOCKET].
        no_cache: No step is taken from the cache; what is built is kept there.
        squash: One layer of all that is new.
        squash_all: One layer of everything, the base's too.
        epoch: Seconds since 1970 that no time in the image is after; None for as it is.
        ignorefile: In place of the context's .containerignore or .dockerignore.
        jobs: How many stages are built at the same time.
        iidfile: Gets the image's ID; "" for none.
        run: Gives what every RUN is run with: network, volumes, limits, ID map, capabilities. The
            command, user, variables and working directory are the step's. Options that were given
            have been checked before.
        run_words: The same as it was given, for the cache; empty where nothing was.
    """

    context: str = "."
    containerfile: str = ""
    tags: tuple[str, ...] = ()
    target: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
    contexts: NamedContexts = field(default_factory=NamedContexts)
    base: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    unset_env: tuple[str, ...] = ()
    unset_labels: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    no_cache: bool = False
    squash: bool = False
    squash_all: bool = False
    epoch: int | None = None
    ignorefile: str = ""
    jobs: int = 1
    iidfile: str = ""
    run: "Callable[[], RunRequest]" = _plain_run
    run_words: tuple[str, ...] = ()

    @property
    def latest_ns(self) -> int | None:
        """The time that no file in a layer is younger than; None for as it is."""
        return None if self.epoch is None else self.epoch * 10**9
