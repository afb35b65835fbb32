"""A RUN with what the build has for it: options, secrets, stages and images, the context."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rootless.build.around import Around
from rootless.build.run_furniture import Offered
from rootless.build.run_step import RunSetting, run_layer
from rootless.build.secrets import parse_secrets, parse_ssh
from rootless.build.stages import Stage
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from rootless.build.containerfile import Instruction
    from rootless.build.state import StageState
    from rootless.image.ingest import StagedLayer


def run(
    around: Around,
    stage: Stage,
    state: "StageState",
    instruction: "Instruction",
    out: Callable[[bytes], None],
) -> "StagedLayer | None":
    """Run an instruction; return its layer, None where it changed nothing.

    Raises:
        BuildError: It failed, or could not be run.
    """
    request = around.request

    def layers_of(name: str) -> Sequence[Digest]:
        return around.layers_of(name, stage)

    offered = Offered(
        secrets=parse_secrets(request.secrets, os.environ),
        sockets=parse_ssh(request.ssh, os.environ),
        context=request.context if os.path.isdir(request.context) else "",
        layers_of=layers_of,
    )
    setting = RunSetting(around.paths, request.run(), offered, request.latest_ns)
    return run_layer(around.store, state, instruction, setting, out)
