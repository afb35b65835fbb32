"""Resource limits of the workload (setrlimit(2))."""

import logging
import resource
from collections.abc import Iterable

from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Rlimit

log = logging.getLogger(__name__)


def apply(rlimits: Iterable[Rlimit]) -> None:
    """Set the limits; one above the caller's hard limit is lowered to it, with a warning."""
    for limit in rlimits:
        number = getattr(resource, limit.type, None)
        if not limit.type.startswith("RLIMIT_") or number is None:
            raise InvalidInput("unknown resource limit", limit.type)
        _, most = resource.getrlimit(number)
        soft, hard = _lowered(limit.soft, most), _lowered(limit.hard, most)
        if (soft, hard) != (limit.soft, limit.hard):
            log.warning("%s is lowered to the caller's hard limit %d", limit.type, most)
        try:
            resource.setrlimit(number, (soft, hard))
        except (ValueError, OverflowError) as error:
            raise InvalidInput(
                f"cannot set the resource limit: {error}", f"{limit.type}={soft}:{hard}"
            ) from error


def _lowered(value: int, most: int) -> int:
    if most == resource.RLIM_INFINITY:
        return value
    return min(value, most) if value >= 0 else most
