"""The capability sets of the workload (capabilities(7)), within its user namespace."""

from collections.abc import Iterable

from rootless.linux import capset, prctl
from rootless.oci.runtime_spec import Capabilities


def mask_of(names: Iterable[str]) -> int:
    """Return the names as a mask; a name that is none adds nothing (`preconditions` warns)."""
    numbers = (capset.NUMBERS.get(name.upper()) for name in set(names))
    return sum(1 << number for number in set(numbers) if number is not None)


def limit_bounding_set(bounding: int) -> None:
    """Drop from the bounding set what `bounding` lacks; needs CAP_SETPCAP."""
    for number in range(capset.last_capability() + 1):
        if not bounding >> number & 1:
            prctl.drop_bounding_capability(number)


def apply(capabilities: Capabilities, held: int) -> None:
    """Set the thread's sets, after its IDs have been set with `set_keep_capabilities`.

    `held` is what the thread still has; what it lacks cannot be given.
    """
    permitted = mask_of(capabilities.permitted) & held
    effective = mask_of(capabilities.effective) & permitted
    inheritable = mask_of(capabilities.inheritable) & (held | permitted)
    ambient = mask_of(capabilities.ambient) & permitted & inheritable
    prctl.clear_ambient_capabilities()
    capset.capset(effective, permitted, inheritable)
    for number in range(len(capset.NAMES)):
        if ambient >> number & 1:
            prctl.raise_ambient_capability(number)
