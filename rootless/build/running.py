"""A RUN with what the build has for it: options, secrets, stages and images, the context."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from rootless.build.around import Around
from rootless.build.run_furniture import Offered
from rootless.build.run_step import RunSetting, run_layer
from rootless.build.secrets import parse_secrets, parse_ssh

if TYPE_CHECKING:
    from rootless.build.containerfile import Instruction
    from rootless.build.state import StageState
    from rootless.image.ingest import StagedLayer


def run(
    around: Around,
    state: "StageState",
    instruction: "Instruction",
    out: Callable[[bytes], None],
) -> "StagedLayer | None":
    """Run an instruction; return its layer, None where it changed nothing.

    Raises:
        BuildError: It failed, or could not be run.
    """
    request = around.request

    offered = Offered(
        secrets=parse_secrets(request.secrets, os.environ),
        sockets=parse_ssh(request.ssh, os.environ),
        context=around.folder,
        layers_of=around.layers_of,
    )
    setting = RunSetting(around.paths, request.run(), offered, request.latest_ns)
    return run_layer(around.store, state, instruction, setting, out)
