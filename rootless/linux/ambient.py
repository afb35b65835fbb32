"""Capabilities across execve(2): the ambient set (capabilities(7))."""

import contextlib
import os
from collections.abc import Iterator

from rootless.linux import capset, prctl


@contextlib.contextmanager
def kept_across_exec() -> Iterator[None]:
    """Let programs started meanwhile keep what this process may do in its user namespace.

    Only UID 0 keeps capabilities across execve(2) by itself, and under keep-id this process has
    the caller's UID. Outside of a user namespace of ours there is nothing to keep.
    """
    mask = capset.permitted()
    if mask and os.geteuid() != 0:
        capset.capset(mask, mask, mask)
        for number in range(capset.last_capability() + 1):
            if mask >> number & 1:
                prctl.raise_ambient_capability(number)
    try:
        yield
    finally:
        prctl.clear_ambient_capabilities()
