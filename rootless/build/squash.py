"""`--squash` and `--squash-all`: one layer in place of several; `image.merged_layers` makes it."""

from dataclasses import replace

from rootless.build.keys import key
from rootless.build.stage_run import StageRun, keep_layer
from rootless.build.state import StageState
from rootless.image import build_cache
from rootless.image.build_cache import KeptStep
from rootless.image.byte_stream import Chunked
from rootless.image.ingest import Expected, ingest
from rootless.image.merged_layers import merged_layer_chunks


def squashed(run: StageRun) -> StageState:
    """Return what a stage has come to with one layer of all that is new, or of everything.

    The history keeps its steps; the last of them is said to have made the layer.
    """
    around, state = run.around, run.state
    kept = 0 if around.request.squash_all else run.base_layers
    below, new = state.diff_ids[:kept], state.diff_ids[kept:]
    if len(new) < 2:
        return state
    found_by = key("--squash", new, {"is_lowest": not kept, "epoch": around.request.epoch})
    step = build_cache.look_up(around.store, found_by)
    if step is None:
        latest_ns = around.request.latest_ns
        chunks = merged_layer_chunks(around.store, new, is_lowest=not kept, latest_ns=latest_ns)
        with Chunked(chunks) as tar:
            layer = ingest(around.store, tar, "the new layers", Expected())
        step = KeptStep(keep_layer(around.store, layer), around.now())
        build_cache.keep(around.store, found_by, step)
    assert step.diff_id is not None  # noqa: S101 - kept so
    history = _history(state, kept)
    return replace(
        state, diff_ids=(*below, step.diff_id), config={**state.config, "history": history}
    )


def _history(state: StageState, kept: int) -> list[dict[str, object]]:
    """Return the history in which the last step that made a layer has made all after *kept*."""
    entries: list[dict[str, object]] = [dict(each) for each in state.config.get("history") or ()]
    making = [each for each in entries if not each.get("empty_layer")]
    for each in making[kept:-1]:
        each["empty_layer"] = True
    return entries
