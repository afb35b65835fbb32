"""An image's layers as `history`, `tree` and `explore --json` print them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from stat import S_ISDIR, S_ISREG
from typing import Any

from rootless.cli import table
from rootless.image.layer_changes import (
    ADDED,
    CHANGED,
    DELETED,
    LayerView,
    efficiency,
    hidden_paths,
)
from rootless.image.names import Image
from rootless.oci.digest import hex_of

HISTORY_HEADER = ("ID", "CREATED", "CREATED BY", "SIZE", "COMMENT")
_LONGEST = 45
_MOST_WASTED = 100
_NO_LAYER = "<missing>"


def steps(image: Image, references: Sequence[str]) -> list[dict[str, Any]]:
    """Return how an image came to be, the last step first, as `podman history --format json`.

    Steps of other builders are known by their text only; the last one is the image.
    """
    sizes = iter([layer.size for layer in image.manifest.layers])
    found = []
    for step in image.config.history:
        size = 0 if step.empty_layer else next(sizes, 0)
        record: dict[str, Any] = {"id": _NO_LAYER, "created": step.created}
        record |= {"CreatedBy": step.created_by, "size": size, "comment": step.comment}
        found.append({key: value for key, value in record.items() if value != ""})
    if found:
        found[-1]["id"] = hex_of(image.config_digest)
        if references:
            found[-1]["tags"] = list(references)
    return found[::-1]


def history_row(
    step: dict[str, Any], now: datetime, *, no_trunc: bool, human: bool = True
) -> list[str]:
    """Return a row of the table."""
    known, text = step["id"], step.get("CreatedBy", "")
    if not no_trunc:
        known = known if known == _NO_LAYER else known[:12]
        text = f"{text[: _LONGEST - 1]}…" if len(text) > _LONGEST else text
    created = step.get("created", "")
    age = table.age(created, now) if human else created
    size = table.size(step["size"]) if human else str(step["size"])
    return [known, age, text, size, step.get("comment", "")]


def tree_lines(
    image: Image, references: Sequence[str], layers: Sequence[LayerView], tops: Sequence[str]
) -> list[str]:
    """Return the lines of `tree`.

    Args:
        image: Which.
        references: Its names.
        layers: Its layers, the lowest first.
        tops: For each of them the names of images that end with it, as text.
    """
    lines = [
        f"Image ID: {hex_of(image.config_digest)[:12]}",
        f"Tags:     [{' '.join(references)}]",
        f"Size:     {table.size(image.size)}",
        "Image Layers",
    ]
    for number, (layer, top) in enumerate(zip(layers, tops, strict=True), 1):
        branch = "└──" if number == len(layers) else "├──"
        words = [f"{branch} ID: {hex_of(layer.diff_id)[:12]}  Size: {table.size(layer.size)}"]
        words.append(summary(layer))
        words += [f"Top Layer of: {top}"] if top else []
        lines.append("  ".join(words))
    return lines


def summary(layer: LayerView) -> str:
    """Return in a few words what a layer does: `+120 files 3 MB, ~2, -1, wastes 2 kB`."""
    kinds = dict.fromkeys((ADDED, CHANGED, DELETED), 0)
    for change in layer.changes:
        # folders that were there are named by most layers, for what is in them
        if change.kind == DELETED or not S_ISDIR(change.mode):
            kinds[change.kind] += 1
    files = "1 file" if kinds[ADDED] == 1 else f"{kinds[ADDED]} files"
    words = [f"+{files} {table.size(layer.added)}"]
    words += [f"~{kinds[CHANGED]} changed"] if kinds[CHANGED] else []
    words += [f"-{kinds[DELETED]} deleted"] if kinds[DELETED] else []
    words += [f"hides {table.size(layer.wasted)}"] if layer.wasted else []
    return ", ".join(words)


def tops_of(image: Image, others: Iterable[Image]) -> list[str]:
    """Return for each layer which images end with it, `[NAME NAME]`, or ""."""
    named: dict[tuple[str, ...], list[str]] = {}
    for other in others:
        if other.reference:
            named.setdefault(tuple(other.config.diff_ids), []).append(other.reference)
    chain = tuple(image.config.diff_ids)
    found = [named.get(chain[:count], []) for count in range(1, len(chain) + 1)]
    return [f"[{' '.join(names)}]" if names else "" for names in found]


def to_json(image: Image, layers: Sequence[LayerView]) -> dict[str, Any]:
    """Return the layers as a document, in dive's words where it has them."""
    wasted = [
        {"count": count, "sizeBytes": size, "file": shown(path)}
        for path, size, count in hidden_paths(layers, _MOST_WASTED)
    ]
    return {
        "layer": [_layer(number, layer) for number, layer in enumerate(layers)],
        "image": {
            "id": hex_of(image.config_digest),
            "sizeBytes": sum(layer.added for layer in layers),
            "inefficientBytes": sum(layer.wasted for layer in layers),
            "efficiencyScore": round(efficiency(layers), 6),
            "fileReference": wasted,
        },
    }


def _layer(number: int, layer: LayerView) -> dict[str, Any]:
    return {
        "index": number,
        "digestId": layer.diff_id,
        "sizeBytes": layer.added,
        "tarBytes": layer.size,
        "inefficientBytes": layer.wasted,
        "command": layer.step.created_by,
        "fileList": [
            {
                "path": shown(change.path),
                "change": change.kind,
                "isDir": S_ISDIR(change.mode),
                "isFile": S_ISREG(change.mode),
                "fileMode": change.mode & 0o7777,
                "size": change.size,
                "hidden": change.hidden,
            }
            for change in layer.changes
        ],
    }


def shown(path: bytes) -> str:
    """Return a path as text, from the root; bytes in no character set as escapes."""
    return "/" + path.decode("utf-8", "backslashreplace")
