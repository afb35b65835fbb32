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


def of_user(uid: int) -> Capabilities:
    """Return the sets that a change to a user leaves where no others are asked for (setuid(2))."""
    names = capset.NAMES if uid == 0 else ()
    return Capabilities(names, names, names)


def apply(capabilities: Capabilities, held: int, kept: int = 0) -> tuple[int, int, int]:
    """Set the thread's sets, after its IDs have been set with `set_keep_capabilities`.

    `held` is what the thread still has; what it lacks cannot be given. `kept` stays besides, until
    the caller gives what is returned to `capset`.
    """
    permitted = mask_of(capabilities.permitted) & held
    effective = mask_of(capabilities.effective) & permitted
    inheritable = mask_of(capabilities.inheritable) & (held | permitted)
    ambient = mask_of(capabilities.ambient) & permitted & inheritable
    kept &= held
    prctl.clear_ambient_capabilities()
    capset.capset(effective | kept, permitted | kept, inheritable)
    for number in range(len(capset.NAMES)):
        if ambient >> number & 1:
            prctl.raise_ambient_capability(number)
    return effective, permitted, inheritable
