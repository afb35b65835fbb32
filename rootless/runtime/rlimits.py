"""Resource limits of the workload (setrlimit(2))."""

import logging
import resource
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Rlimit
from rootless.runtime.workload import step

if TYPE_CHECKING:
    from rootless.runtime.workload import Step

log = logging.getLogger(__name__)

_WORD = 1 << 64


def steps(rlimits: Iterable[Rlimit]) -> "Iterator[Step]":
    """Yield what sets the limits; one above the caller's hard limit is lowered, with a warning.

    Raises InvalidInput.
    """
    for limit in rlimits:
        number = getattr(resource, limit.type, None)
        if not limit.type.startswith("RLIMIT_") or number is None:
            raise InvalidInput("unknown resource limit", limit.type)
        _, most = resource.getrlimit(number)
        soft, hard = _lowered(limit.soft, most), _lowered(limit.hard, most)
        if (soft, hard) != (limit.soft, limit.hard):
            log.warning("%s is lowered to the caller's hard limit %d", limit.type, most)
        shown = f"{limit.type}={soft}:{hard}"
        try:
            wanted = struct.pack("=2Q", soft % _WORD, hard % _WORD)
        except struct.error as error:
            raise InvalidInput(f"cannot set the resource limit: {error}", shown) from error
        yield step(
            "prlimit", 0, number, wanted, None, what="cannot set the resource limit", on=shown
        )


def _lowered(value: int, most: int) -> int:
    if most == resource.RLIM_INFINITY:
        return value
    return min(value, most) if value >= 0 else most
