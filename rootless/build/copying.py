"""COPY and ADD with what the build has for them: the context, other stages, images."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rootless.build.around import Around
from rootless.build.containerfile import Instruction
from rootless.build.copy_step import CopyPlan, plan_copy
from rootless.build.keys import key
from rootless.build.prepared import Out, Prepared
from rootless.build.state import StageState
from rootless.errors import RootlessError
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from rootless.build.copy_source import CopySource
    from rootless.image.ingest import StagedLayer


def prepare_copy(around: Around, state: StageState, instruction: Instruction) -> Prepared:
    """Return what a COPY or ADD is going to do.

    Args:
        around: What it has around it.
        state: What that has come to.
        instruction: The step, its variables replaced.

    Raises:
        BuildError: It cannot be done.
    """
    plan = plan_copy(around.store, state, instruction, _source(around, instruction))
    _refuse_secrets(around, plan, instruction)
    parts = {
        "flags": instruction.flags,
        "words": instruction.words,
        "documents": [[each.name, each.content] for each in instruction.heredocs],
        "workdir": state.workdir,
        "epoch": around.request.epoch,
    }

    def found_by() -> Iterable[Digest]:
        if plan.fingerprint:
            parts_now = {**parts, "fingerprint": plan.fingerprint}
            yield key(instruction.keyword, state.diff_ids, parts_now)
        yield key(instruction.keyword, state.diff_ids, {**parts, "content": plan.digest()})

    def make(_: Out) -> "StagedLayer | None":
        from rootless.image.ingest import Expected, ingest  # noqa: PLC0415 - when not cached

        now_ns, latest_ns = around.now() * 10**9, around.request.latest_ns
        with plan.layer(now_ns=now_ns, latest_ns=latest_ns) as tar:
            return ingest(around.store, tar, instruction.source, Expected())

    return Prepared(found_by, make, plan.content)


def _refuse_secrets(around: Around, plan: CopyPlan, instruction: Instruction) -> None:
    """Raise BuildError where a file that is given as a secret would be copied into a layer."""
    place = around.folder_of(instruction.flag("from"))
    if not (around.request.secrets and place):
        return
    from rootless.build.secrets import parse_secrets  # noqa: PLC0415 - few builds have any

    folder = os.path.realpath(place)
    secrets = parse_secrets(around.request.secrets, os.environ).values()
    paths = {os.path.realpath(each.path): each.id for each in secrets if each.path}
    for path in plan.sources():
        found = os.path.join(folder, os.fsdecode(path))
        if found in paths:
            fix = "leave it out by .dockerignore, and let RUN --mount=type=secret read it"
            what = f"the secret {paths[found]} would end in a layer"
            raise instruction.fault(what, os.fsdecode(path), fix)


def _source(around: Around, instruction: Instruction) -> "CopySource":
    name = instruction.flag("from")
    with instruction.blamed(RootlessError):
        folder = around.source_of(name)
        if folder is not None:
            return folder
        from rootless.build.tree_source import open_layers  # noqa: PLC0415 - few steps have one

        return open_layers(around.store, around.layers_of(name), name)
