"""COPY and ADD with what the build has for them: the context, other stages, images."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from rootless.build.around import Around
from rootless.build.containerfile import Instruction
from rootless.build.copy_step import CopyPlan, plan_copy
from rootless.build.keys import key
from rootless.build.prepared import Out, Prepared
from rootless.build.stages import Stage
from rootless.build.state import StageState
from rootless.build.tree_source import open_layers
from rootless.errors import BuildError, RootlessError
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from rootless.build.copy_source import CopySource
    from rootless.image.ingest import StagedLayer


def prepare_copy(
    around: Around, stage: Stage, state: StageState, instruction: Instruction
) -> Prepared:
    """Return what a COPY or ADD is going to do.

    Args:
        around: What it has around it.
        stage: Its stage.
        state: What that has come to.
        instruction: The step, its variables replaced.

    Raises:
        BuildError: It cannot be done.
    """
    plan = plan_copy(around.store, state, instruction, _source(around, stage, instruction))
    _refuse_secrets(around, plan, instruction)
    parts = {
        "flags": instruction.flags,
        "words": instruction.words,
        "documents": [[each.name, each.content] for each in instruction.heredocs],
        "workdir": state.workdir,
        "epoch": around.request.epoch,
    }
    digest, content = cache(plan.digest), cache(plan.content)

    def found_by() -> Iterable[Digest]:
        if plan.fingerprint:
            parts_now = {**parts, "fingerprint": plan.fingerprint}
            yield key(instruction.keyword, state.diff_ids, parts_now)
        yield key(instruction.keyword, state.diff_ids, {**parts, "content": digest()})

    def make(_: Out) -> "StagedLayer | None":
        from rootless.image.ingest import Expected, ingest  # noqa: PLC0415 - when not cached

        times = {"now_ns": around.now() * 10**9, "latest_ns": around.request.latest_ns}
        with plan.layer(**times) as tar:
            return ingest(around.store, tar, instruction.source, Expected())

    return Prepared(found_by, make, content)


def _source(around: Around, stage: Stage, instruction: Instruction) -> "CopySource":
    name = instruction.flag("from")
    if not name:
        return around.context()
    try:
        return open_layers(around.store, around.layers_of(name, stage), name)
    except BuildError:
        raise
    except RootlessError as error:
        raise instruction.fault(error.what, error.on, error.fix) from error
