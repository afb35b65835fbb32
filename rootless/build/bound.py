"""What `RUN --mount` shows of other places, as part of the key by which the step is found again.

A cache, a secret and a socket are no part of it, as with BuildKit: they may change between builds,
and what came of them stays.
"""

import secrets
from contextlib import closing

from rootless.build.around import Around
from rootless.build.containerfile import Instruction
from rootless.build.content_digest import Memory
from rootless.build.context_folder import ContextFolder
from rootless.build.ignore import Ignore
from rootless.build.run_mounts import BIND, RunMount, run_mounts
from rootless.build.selection import pick
from rootless.build.state import StageState
from rootless.errors import RootlessError


def bound(around: Around, state: StageState, instruction: Instruction) -> list[list[str]]:
    """Return what is bound for a RUN: layers, or the digest of a part of the context.

    Args:
        around: What the step has around it.
        state: What that has come to.
        instruction: The step, its variables replaced.

    Raises:
        BuildError: A mount is none, or is from nothing that there is.
    """
    mounts = run_mounts(instruction, state.workdir)
    return [_bound(around, mount, instruction) for mount in mounts if mount.kind == BIND]


def _bound(around: Around, mount: RunMount, instruction: Instruction) -> list[str]:
    if mount.origin:
        with instruction.blamed(RootlessError):
            return list(around.layers_of(mount.origin))
    if not around.folder:
        return []  # the step itself says that it cannot be
    try:
        with closing(ContextFolder(around.folder, Ignore())) as context:
            return [Memory(around.store).digest(pick(context, mount.source or ".", Ignore()))]
    except RootlessError:
        # Something in it cannot be read by us. The RUN may not mind; it is just never found again.
        return [secrets.token_hex(16)]
