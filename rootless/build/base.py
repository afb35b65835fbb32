"""What a stage begins with: what its FROM names, and the steps that this has put off for it."""

from typing import Any

from rootless.build.around import Around
from rootless.build.stage_run import StageRun
from rootless.build.stages import Stage
from rootless.build.state import from_base, onbuild_triggers, scratch
from rootless.errors import NotFound, RootlessError
from rootless.image import forms
from rootless.image.names import Image
from rootless.oci.document import MAX_CONFIG_BYTES, parse_document
from rootless.oci.image_index import host_platform, matches, parse_platform


def begun(around: Around, stage: Stage, before: dict[int, StageRun]) -> StageRun:
    """Return a stage that no step was done of.

    Args:
        around: What it has around it.
        stage: The stage.
        before: Those that are done, by index.

    Raises:
        BuildError: The base is not to be had, or is not for this machine.
    """
    arguments = around.plan.arguments
    _check_platform(stage)
    if stage.base_stage is not None:
        below = before[stage.base_stage]
        document, diff_ids = below.state.config, below.state.diff_ids
        name, base_layers = below.stage.shown, below.base_layers
    elif stage.base:
        image = _image(around, stage)
        document, diff_ids = _document(around, image), image.config.diff_ids
        name, base_layers = stage.base, len(diff_ids)
    else:
        return StageRun(around, stage, stage.instructions, scratch(host_platform(), arguments), 0)
    triggers = onbuild_triggers(document, name)
    state = from_base(document, diff_ids, arguments)
    return StageRun(around, stage, (*triggers, *stage.instructions), state, base_layers)


def _check_platform(stage: Stage) -> None:
    if stage.platform and not matches(parse_platform(stage.platform), host_platform()):
        fix = f"what is built here is for {host_platform()}"
        raise stage.origin.fault("cannot build for the platform", stage.platform, fix)


def _image(around: Around, stage: Stage) -> Image:
    name = stage.base
    if stage.index == 0 and around.request.base:
        name = around.request.base
    try:
        image = around.image(name)
        _complete(around, image)
    except RootlessError as error:
        raise stage.origin.fault(error.what, error.on, error.fix) from error
    return image


def _complete(around: Around, image: Image) -> None:
    """Have all of an image here whose layers were left where they are."""
    diff_ids = image.config.diff_ids
    if image.place is not None:
        raise NotFound("an image in a file cannot be built on", image.reference, "load it first")
    if all(around.store.has_layer(diff_id) for diff_id in diff_ids):
        return
    if any(forms.find(around.store, each).form is forms.Form.LAZY for each in diff_ids):
        from rootless.containers.lazy_layers import complete_layers  # noqa: PLC0415 - few are

        complete_layers(around.store, diff_ids)


def _document(around: Around, image: Image) -> dict[str, Any]:
    data = around.store.read_blob(image.config_digest, MAX_CONFIG_BYTES)
    document: dict[str, Any] = parse_document(data, "image config", limit=MAX_CONFIG_BYTES).value
    return document
