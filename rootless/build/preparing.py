"""What an instruction is going to do: by which keys its result is found, and how it is made."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from rootless.build.around import Around
from rootless.build.containerfile import Instruction
from rootless.build.history import created_by
from rootless.build.keys import key
from rootless.build.prepared import Out, Prepared
from rootless.build.state import StageState, apply, expanded, with_layer
from rootless.image.build_cache import KeptStep
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from rootless.image.ingest import StagedLayer


def prepare(around: Around, state: StageState, instruction: Instruction) -> Prepared:
    """Return what an instruction is going to do; raises BuildError where it cannot."""
    if instruction.keyword == "RUN":
        return _run(around, state, expanded(state, instruction))
    if instruction.keyword in ("COPY", "ADD"):
        from rootless.build.copying import prepare_copy  # noqa: PLC0415 - many files have none

        return prepare_copy(around, state, expanded(state, instruction))
    after = apply(state, instruction)
    before_and_after = [_plain(state.config), _plain(after.config)]
    parts = {"configs": before_and_after, "source": instruction.source}

    def found_by() -> Iterable[Digest]:
        return (key(instruction.keyword, state.diff_ids, parts),)

    if instruction.keyword == "WORKDIR":
        return Prepared(found_by, lambda _: _folder(around, after, instruction))
    return Prepared(found_by, lambda _: None, makes_layer=False)


def stepped(
    state: StageState, instruction: Instruction, kept: KeptStep, created: int
) -> StageState:
    """Return the state after a step whose result is known."""
    if instruction.keyword in ("RUN", "COPY", "ADD"):
        instruction = expanded(state, instruction)
        after = state
    else:
        after = apply(state, instruction)
    said = created_by(state, instruction, kept.content)
    return with_layer(after, kept.diff_id, said, datetime.fromtimestamp(created, UTC))


def _run(around: Around, state: StageState, instruction: Instruction) -> Prepared:
    request = around.request
    parts: dict[str, Any] = {
        "flags": instruction.flags,
        "words": instruction.words,
        "is_exec_form": instruction.is_exec_form,
        "heredocs": [[each.name, each.content, each.expand] for each in instruction.heredocs],
        "shell": state.shell,
        "env": sorted(state.env.items()),
        "args": sorted(state.args.items()),
        "user": state.user,
        "workdir": state.workdir,
        "options": request.run_words,
        "epoch": request.epoch,
    }

    @cache
    def found_by() -> Iterable[Digest]:
        if any(name == "mount" for name, _ in instruction.flags):
            from rootless.build.bound import bound  # noqa: PLC0415 - few steps have any

            parts["bound"] = bound(around, state, instruction)
        return (key("RUN", state.diff_ids, parts),)

    def make(out: Out) -> "StagedLayer | None":
        from rootless.build.running import run  # noqa: PLC0415 - when one runs

        found_by()  # by what is bound before the command, which changes meanwhile
        return run(around, state, instruction, out)

    return Prepared(found_by, make)


def _folder(around: Around, after: StageState, instruction: Instruction) -> "StagedLayer | None":
    from rootless.build.folder_step import folder_layer  # noqa: PLC0415 - when it is not cached

    now_ns = around.now() * 10**9
    return folder_layer(around.store, after, instruction, now_ns, around.request.latest_ns)


def _plain(config: Any) -> dict[str, Any]:
    """Return a config without what tells of times."""
    return {name: each for name, each in config.items() if name not in ("created", "history")}
