"""What the stages of a file begin with: images, what those have put off, other stages."""

from collections.abc import Mapping
from contextlib import suppress

from rootless.build.around import Around, Base
from rootless.build.stage import Stage
from rootless.build.stage_run import StageRun
from rootless.build.stages import Plan, with_triggers
from rootless.build.state import StageState, from_base, onbuild_triggers, scratch
from rootless.errors import InvalidInput, NotFound, RootlessError
from rootless.image import forms
from rootless.oci.image_index import host_platform, matches, parse_platform


def with_bases(around: Around, plan: Plan) -> Plan:
    """Return the plan with what its images have put off by ONBUILD; all images are here then.

    Args:
        around: Gets the images.
        plan: The stages of the file.

    Raises:
        BuildError: An image is not to be had, or is not for this machine; a trigger is wrong.
    """
    triggers: dict[str, tuple[str, ...]] = {}
    found = plan
    while wanted := [s for s in found.stages if s.base and s.base not in triggers]:
        for stage in wanted:
            triggers[stage.base] = onbuild_triggers(_base(around, stage).document)
        if any(triggers.values()):  # which may read from a stage that nothing else needs
            found = with_triggers(plan, triggers)
    for name in found.images:
        if around.folder_of(name):
            continue
        with suppress(RootlessError):  # the step that reads from it says so, with its line
            around.base(name)
    return found


def begun(around: Around, stage: Stage, before: Mapping[int, StageRun]) -> StageRun:
    """Return a stage of which no step was done.

    Args:
        around: What it has around it.
        stage: The stage; those that it needs are done.
        before: Those that are begun, by index.
    """
    state = state_at_start(around, stage, around.stages)
    if stage.base_stage is not None:
        return StageRun(around, stage, state, before[stage.base_stage].base_layers)
    return StageRun(around, stage, state, len(state.diff_ids))


def state_at_start(around: Around, stage: Stage, before: Mapping[int, StageState]) -> StageState:
    """Return what a stage goes on from, given what those before it have come to, by index."""
    arguments = around.plan.arguments
    if stage.base_stage is not None:
        below = before[stage.base_stage]
        return from_base(below.config, below.diff_ids, arguments, below.args)
    if stage.base:
        base = around.base(stage.base)
        return from_base(base.document, base.image.config.diff_ids, arguments)
    return scratch(host_platform(), arguments)


def _base(around: Around, stage: Stage) -> Base:
    with stage.origin.blamed(RootlessError):
        if stage.platform and not matches(parse_platform(stage.platform), host_platform()):
            fix = f"what is built here is for {host_platform()}"
            raise InvalidInput("cannot build for the platform", stage.platform, fix)
        base = around.base(stage.base)
        _complete(around, base)
    return base


def _complete(around: Around, base: Base) -> None:
    """Have all of an image here whose layers were left where they are."""
    image = base.image
    if image.place is not None:
        raise NotFound("an image in a file cannot be built on", image.reference, "load it first")
    diff_ids = image.config.diff_ids
    if all(around.store.has_layer(diff_id) for diff_id in diff_ids):
        return
    if any(forms.find(around.store, each).form is forms.Form.LAZY for each in diff_ids):
        from rootless.containers.lazy_layers import complete_layers  # noqa: PLC0415 - few are

        complete_layers(around.store, diff_ids)
