"""`run --privileged` as the other options of `run`, for what these leave open; as podman has it.

What only the spec and the runtime can do beside that is `RunOptions.privileged`.
"""

import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

_OPEN = ("no-new-privileges=false", "seccomp=unconfined")


def with_privileged(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options' values with what `--privileged` means.

    It has every capability, whatever `--cap-drop` says, which is told; `--security-opt` that names
    a filter, or wants no new privileges, has the last word.
    """
    if given["cap_drop"]:
        log.warning("--privileged has every capability: --cap-drop is not applied")
    return {
        **given,
        "cap_add": ["ALL", *(given["cap_add"] or ())],
        "cap_drop": None,
        "security_opt": [*_OPEN, *(given["security_opt"] or ())],
    }
