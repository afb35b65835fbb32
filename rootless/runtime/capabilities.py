"""The capability sets of the workload (capabilities(7)), within its user namespace."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rootless.linux import capset, prctl
from rootless.oci.runtime_spec import Capabilities
from rootless.runtime.workload import step

if TYPE_CHECKING:
    from rootless.runtime.workload import Step


def mask_of(names: Iterable[str]) -> int:
    """Return the names as a mask; a name that is none adds nothing (`preconditions` warns)."""
    numbers = (capset.NUMBERS.get(name.upper()) for name in set(names))
    return sum(1 << number for number in set(numbers) if number is not None)


def bounding_steps(bounding: int) -> "Iterator[Step]":
    """Yield what drops from the bounding set what `bounding` lacks; needs CAP_SETPCAP."""
    for number in range(capset.last_capability() + 1):
        if not bounding >> number & 1:
            yield _prctl(prctl.PR_CAPBSET_DROP, number)


def of_user(uid: int) -> Capabilities:
    """Return the sets that a change to a user leaves where no others are asked for (setuid(2))."""
    names = capset.NAMES if uid == 0 else ()
    return Capabilities(names, names, names)


def steps(capabilities: Capabilities, held: int, kept: int = 0) -> "tuple[list[Step], list[Step]]":
    """Return what sets the thread's sets, after the IDs have been set with PR_SET_KEEPCAPS.

    `held` is what the thread still has; what it lacks cannot be given. `kept` stays besides, until
    the second list gives it up.
    """
    permitted = mask_of(capabilities.permitted) & held
    effective = mask_of(capabilities.effective) & permitted
    inheritable = mask_of(capabilities.inheritable) & (held | permitted)
    ambient = mask_of(capabilities.ambient) & permitted & inheritable
    kept &= held
    first = [
        _prctl(prctl.PR_CAP_AMBIENT, prctl.PR_CAP_AMBIENT_CLEAR_ALL),
        _capset(effective | kept, permitted | kept, inheritable),
    ]
    first += [
        _prctl(prctl.PR_CAP_AMBIENT, prctl.PR_CAP_AMBIENT_RAISE, number)
        for number in range(len(capset.NAMES))
        if ambient >> number & 1
    ]
    return first, [_capset(effective, permitted, inheritable)] if kept else []


def _prctl(option: int, *arguments: int) -> "Step":
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return step("prctl", option, *padded, what="cannot set the workload's capabilities")


def _capset(effective: int, permitted: int, inheritable: int) -> "Step":
    header, data = capset.structures(effective, permitted, inheritable)
    return step("capset", header, data, what="cannot set the workload's capabilities")
