"""By what a step's result is found again: all that it depends on, as one digest; pure.

A step depends on the layers below it, its instruction, what it reads, and those members of the
config that it looks at: RUN not at labels, COPY at nothing but the working directory. A step that
makes no layer is kept for its time alone, so that the same file makes the same image; it depends on
the whole config.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rootless.oci.digest import Digest, sha256_of

_VERSION = 1
"""Goes up when the same step makes something else than before."""


def key(kind: str, below: Sequence[Digest], parts: Mapping[str, Any]) -> Digest:
    """Return the key of a step.

    Args:
        kind: What it does: an instruction's keyword.
        below: The layers below it, lowest first.
        parts: What else it depends on, as JSON can have it.
    """
    document = {"version": _VERSION, "kind": kind, "below": list(below), "parts": parts}
    text = json.dumps(document, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256_of(text.encode())
