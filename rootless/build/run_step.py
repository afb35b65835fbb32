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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rootless import timings
from rootless.build.run_command import run_command
from rootless.build.run_front import Pipes, StepFront
from rootless.build.run_inside import InnerFile, StepInside
from rootless.containers import prepare, seccomp
from rootless.containers.container import Container, OverlayRoot
from rootless.containers.footing import Footing
from rootless.containers.lazy_layers import fetch_accounts
from rootless.containers.request import RunRequest
from rootless.containers.root_files import RootFiles
from rootless.containers.run_folder import RunFolder
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
from rootless.paths import Paths

if TYPE_CHECKING:
    from rootless.build.containerfile import Instruction
    from rootless.build.state import StageState


@dataclass(frozen=True, slots=True)
class RunSetting:
    """What every RUN of a build is run with.

    Attributes:
        paths: Where things lie.
        request: Network, volumes, limits, ID map, capabilities.
        latest_ns: No file of a layer is younger than this; None for as it is.
    """

    paths: Paths
    request: RunRequest
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
        instruction: The RUN.
        setting: What every RUN of the build is run with.
        out: Gets what it says, as it says it.

    Raises:
        BuildError: It ended with another status than 0, or could not be run.
    """
    command = run_command(instruction, state.shell)
    container = _container(store, state, command.args, setting)
    inner_files: tuple[InnerFile, ...] = ()
    if command.script_path:
        inner_files = (InnerFile(command.script_path, command.script, 0o755),)
    with contextlib.ExitStack() as owned:
        folder = RunFolder.create(setting.paths, container.id)
        owned.callback(folder.remove)
        footing = Footing.open(container, setting.paths, folder, owned)
        pipes = Pipes()
        owned.callback(pipes.close)
        root = footing.container.root
        assert isinstance(root, OverlayRoot)  # noqa: S101 - made so below
        inside = StepInside(
            RootFiles(root.tree, root.layers, None, container.maps),
            pipes.told,
            setting.latest_ns,
            inner_files,
        )
        session = Session.begin(footing, StreamSetup(pipes.become_theirs), owned, inside)
        timings.mark("user namespace and ID map")
        pipes.close_theirs()
        front = StepFront(store, pipes, out, instruction.source)
        try:
            status = front.run(session)
        except BaseException:
            if front.layer is not None:
                front.layer.close()
            raise
        finally:
            session.close()
    if status < 0:
        raise cut_off(status)
    if status or front.layer is None:
        raise RootlessError(f"exit status {status}", instruction.source)
    if front.layer.size == len(END):
        front.layer.close()
        return None
    return front.layer


def _container(
    store: Store, state: "StageState", args: tuple[str, ...], setting: RunSetting
) -> Container:
    image = _image(store, state)
    request = setting.request
    known = {each.partition("=")[0] for each in image.config.env}
    env = tuple(f"{name}={value}" for name, value in state.args.items() if name not in known)
    options = replace(
        request.options, entrypoint=(), command=args, env=(*env, *request.options.env)
    )
    container = prepare.from_image(
        store, image, replace(request, options=options), secrets.token_hex(32)
    )
    return seccomp.with_filter(container, setting.paths, required=bool(options.seccomp))


def _image(store: Store, state: "StageState") -> Image:
    """Return the layers so far as if they were an image of the store."""
    document = {
        **state.config,
        "rootfs": {"type": "layers", "diff_ids": list(state.diff_ids)},
    }
    data = to_bytes(document)
    config = parse_image_config(data)
    name = chain_id(state.diff_ids)
    described = Descriptor(IMAGE_CONFIG, sha256_of(data), len(data))
    image = Image("", name, described.digest, config, 0, "", Manifest(described, ()))
    fetch_accounts(store, image)
    return replace(image, place=trees.located(store, state.diff_ids))
