"""A RUN: an ordinary run over the layers so far, whose upperdir becomes the next layer.

The workload's processes, mounts and files are those of `rootless run`. But nobody else is told of
it, it has no record, and nothing is kept of it but its layer: when the workload has ended well, the
supervisor, who is in the user namespace already, writes what is in the upperdir as a tar into a
pipe, and the keeper takes that into the store as it takes any layer, in the same pass. The upperdir
then goes as that of any run does.
"""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rootless import timings
from rootless.build.furniture import InnerFile
from rootless.build.run_front import Pipes, StepFront
from rootless.build.run_furniture import Asked, Offered, look_up
from rootless.build.run_inside import StepInside
from rootless.build.run_mounts import run_mounts
from rootless.build.run_words import run_words, script_of
from rootless.containers import prepare, seccomp
from rootless.containers.container import Container, OverlayRoot
from rootless.containers.footing import Footing
from rootless.containers.lazy_layers import fetch_accounts
from rootless.containers.network.mode import parse_mode
from rootless.containers.request import RunRequest
from rootless.containers.root_files import RootFiles
from rootless.containers.run_folder import RunFolder, sweep
from rootless.containers.session import Session, StreamSetup, cut_off
from rootless.errors import RootlessError
from rootless.image import trees
from rootless.image.ingest import StagedLayer
from rootless.image.member_header import END
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.descriptor import IMAGE_CONFIG, Descriptor
from rootless.oci.digest import chain_id, sha256_of
from rootless.oci.document import to_bytes
from rootless.oci.image_config import parse_image_config
from rootless.oci.manifest import Manifest
from rootless.oci.resources_spec import Resources
from rootless.overlay import spare, warm
from rootless.overlay.shared import SharedLower
from rootless.paths import Paths

if TYPE_CHECKING:
    from rootless.build.containerfile import Instruction
    from rootless.build.state import StageState


_SCRIPTS = "/dev/pipes"  # of the run's own /dev: no layer has it


@dataclass(frozen=True, slots=True)
class RunSetting:
    """What every RUN of a build is run with.

    Attributes:
        paths: Where things lie.
        request: Network, volumes, limits, ID map, capabilities.
        offered: What its mounts can be of.
        latest_ns: No file of a layer is younger than this; None for as it is.
    """

    paths: Paths
    request: RunRequest
    offered: Offered = field(default_factory=Offered)
    latest_ns: int | None = None


def run_layer(
    store: Store,
    state: "StageState",
    instruction: "Instruction",
    setting: RunSetting,
    out: Callable[[bytes], None],
) -> StagedLayer | None:
    """Run an instruction; return the layer of what it changed, None where that is nothing.

    Args:
        store: Has the layers so far, and gets the new one under a temporary name.
        state: What came before.
        instruction: The RUN, with what its flags' variables stand for (`state.expanded`).
        setting: What every RUN of the build is run with.
        out: Gets what it says, as it says it.

    Raises:
        StepFailed: It ended with another status than 0.
        BuildError: It could not be run.
    """
    with instruction.blamed(RootlessError), contextlib.ExitStack() as owned:
        spare.prepare_for_many()
        layer = _run(store, state, instruction, setting, out, owned)
    if layer.size == len(END):
        layer.close()
        return None
    return layer


def _run(  # noqa: PLR0917 - as above, and what is to be given back
    store: Store,
    state: "StageState",
    instruction: "Instruction",
    setting: RunSetting,
    out: Callable[[bytes], None],
    owned: contextlib.ExitStack,
) -> StagedLayer:
    timings.mark("steps before it, and imports of a RUN")
    mounts = run_mounts(instruction, state.workdir)
    asked = look_up(store, mounts, setting.offered, setting.request.driver, owned)
    args = _args(state, instruction, asked)
    request = _request(state, instruction, args, asked, setting.request)
    container = prepare.from_image(store, _image(store, state), request, secrets.token_hex(32))
    container = seccomp.with_filter(
        container, setting.paths, required=bool(request.options.seccomp)
    )
    timings.mark("container planned")
    sweep(setting.paths)
    folder = RunFolder.create(setting.paths, container.id)
    owned.callback(folder.remove)
    footing = Footing.open(container, setting.paths, folder, owned)
    footing = footing.standing_on(_warm(container))
    if footing.lower is None:
        spare.prepare_for_many(ahead=False)
    timings.mark("run folder, upperdir")
    pipes = Pipes()
    owned.callback(pipes.close)
    front = StepFront(store, pipes, out, instruction.source)
    inside = _inside(footing.container, pipes, setting, asked)
    session = Session.begin(footing, StreamSetup(pipes.become_theirs), owned, inside)
    timings.mark("user namespace and ID map")
    pipes.close_theirs()
    try:
        status = front.run(session)
    finally:
        session.close()
    if status < 0:
        raise cut_off(status)
    if status:
        raise instruction.failed(status)
    if front.layer is None:
        raise instruction.fault("its files were not told", instruction.source)
    return front.layer


def _warm(container: Container) -> SharedLower | None:
    root = container.root
    assert isinstance(root, OverlayRoot)  # noqa: S101 - `from_image` makes no other
    return warm.find(root.tree, root.layers, container.maps)


def _inside(container: Container, pipes: Pipes, setting: RunSetting, asked: Asked) -> StepInside:
    root = container.root
    assert isinstance(root, OverlayRoot)  # noqa: S101 - `from_image` makes no other
    files = RootFiles(root.tree, root.layers, None, container.maps)
    return StepInside(
        *(container, files, pipes.told),
        latest_ns=setting.latest_ns,
        furniture=tuple(asked.furniture),
        env=tuple(asked.env),
    )


def _args(state: "StageState", instruction: "Instruction", asked: Asked) -> tuple[str, ...]:
    """Return what is started; a script of its own is there as a file."""
    script = script_of(instruction)
    if script is None:
        return tuple(run_words(state.shell, instruction))
    path = f"{_SCRIPTS}/{script.name}"
    data = script.content.encode("utf-8", "surrogateescape")
    asked.furniture.append(InnerFile(path, data, 0o755))
    return (path,)


def _request(
    state: "StageState",
    instruction: "Instruction",
    args: tuple[str, ...],
    asked: Asked,
    request: RunRequest,
) -> RunRequest:
    """Return what is asked for of every RUN, with what this one asks for."""
    options = replace(
        request.options,
        entrypoint=(),
        command=args,
        env=(
            *(f"{name}={value}" for name, value in state.run_variables.items()),
            *request.options.env,
        ),
        mounts=(*request.options.mounts, *asked.mounts),
    )
    word = instruction.flag("network") or "default"
    network = request.network if word == "default" else parse_mode(word)
    # one of its own is made for limits alone: what it left running ends with its PID namespace
    cgroup = request.cgroup and (options.resources != Resources() or bool(options.cgroup_parent))
    return replace(request, options=options, network=network, cgroup=cgroup)


def _image(store: Store, state: "StageState") -> Image:
    """Return the layers so far as if they were an image of the store."""
    rootfs = {"type": "layers", "diff_ids": list(state.diff_ids)}
    data = to_bytes({**state.config, "rootfs": rootfs})
    described = Descriptor(IMAGE_CONFIG, sha256_of(data), len(data))
    name = chain_id(state.diff_ids)
    config = parse_image_config(data)
    image = Image("", name, described.digest, config, 0, "", Manifest(described, ()))
    fetch_accounts(store, image)
    return replace(image, place=trees.located(store, state.diff_ids, may_grow=True))
