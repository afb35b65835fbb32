"""What an instruction is going to do: by which keys its result is found, and how it is made."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rootless.build.around import Around
from rootless.build.containerfile import Instruction
from rootless.build.history import created_by
from rootless.build.keys import key
from rootless.build.stages import Stage
from rootless.build.state import StageState, apply, expanded, with_layer
from rootless.image.build_cache import KeptStep
from rootless.oci.digest import Digest

if TYPE_CHECKING:
    from rootless.image.ingest import StagedLayer

Out = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A step that can be looked up, and done.

    Attributes:
        found_by: Yields the keys that it is looked up by, the cheapest first.
        make: Makes its layer, given who takes output; None where it changes nothing.
        content: Says what it read, as the history has it.
        makes_layer: It may make one; the others are done at once.
    """

    found_by: Callable[[], Iterable[Digest]]
    make: "Callable[[Out], StagedLayer | None]"
    content: Callable[[], str] = str
    makes_layer: bool = True


def prepare(around: Around, stage: Stage, state: StageState, instruction: Instruction) -> Prepared:
    """Return what an instruction is going to do; raises BuildError where it cannot."""
    if instruction.keyword == "RUN":
        return _run(around, stage, state, expanded(state, instruction))
    if instruction.keyword in ("COPY", "ADD"):
        raise NotImplementedError
    after = apply(state, instruction)
    parts = {"config": _plain(state.config), "source": instruction.source}
    parts["after"] = _plain(after.config)
    return Prepared(
        lambda: (key(instruction.keyword, state.diff_ids, parts),),
        lambda _: None,
        makes_layer=False,
    )


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


def _run(around: Around, stage: Stage, state: StageState, instruction: Instruction) -> Prepared:
    request = around.request
    parts = {
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

    def make(out: Out) -> "StagedLayer | None":
        from rootless.build.running import run  # noqa: PLC0415 - when one runs

        return run(around, stage, state, instruction, out)

    return Prepared(lambda: (key("RUN", state.diff_ids, parts),), make)


def _plain(config: Any) -> dict[str, Any]:
    """Return a config without what tells of times."""
    return {name: each for name, each in config.items() if name not in ("created", "history")}
