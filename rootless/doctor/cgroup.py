"""Check `cgroup`: whether the memory, CPUs and processes of a container can be limited.

Without a delegated cgroup everything still runs; limits are then asked for in vain, which `run`
says aloud.
"""

from dataclasses import dataclass

from rootless.doctor.check import Check, State
from rootless.runtime import cgroup_tree
from rootless.runtime.cgroup_tree import Layout, Place, Refusal
from rootless.runtime.systemd_scope import find_bus

_WANTED = ("cpu", "memory", "pids")  # what the commonest options need


@dataclass(frozen=True, slots=True)
class CgroupFacts:
    """What was found.

    Attributes:
        place: Where this process stands.
        refusal: Why nothing can be made there; None where it can.
        controllers: What this process's own cgroup has.
        bus: Address of the user's D-Bus, by which systemd makes scopes; "" for none.
    """

    place: Place
    refusal: Refusal | None
    controllers: frozenset[str] = frozenset()
    bus: str = ""


def gather() -> CgroupFacts:
    """Look; nothing is made."""
    place = cgroup_tree.find_place()
    controllers: frozenset[str] = frozenset()
    if place.own is not None:
        controllers = cgroup_tree.read_words(place.own / "cgroup.controllers")
    return CgroupFacts(place, cgroup_tree.refusal(place), controllers, find_bus())


def check_cgroup(facts: CgroupFacts) -> Check:
    """Judge."""
    name, seen = "cgroup", str(facts.place.layout)
    if facts.place.layout is Layout.UNIFIED and facts.refusal is not None and facts.bus:
        return Check(name, State.OK, f"{seen}; your systemd makes a scope for each container")
    if facts.refusal is not None:
        cause = f"{facts.refusal.reason}: containers run without limits"
        return Check(name, State.WARNING, seen, cause, facts.refusal.fix)
    if facts.controllers:
        seen = f"{seen}, delegated: {' '.join(sorted(facts.controllers))}"
    missing = [controller for controller in _WANTED if controller not in facts.controllers]
    if missing:
        cause = f"delegated to you without {', '.join(missing)}: these are not limited"
        by_layout = cgroup_tree.BY_LAYOUT.get(facts.place.layout)
        fix = by_layout.fix if by_layout else cgroup_tree.ALL_CONTROLLERS_FIX
        return Check(name, State.WARNING, seen, cause, fix)
    return Check(name, State.OK, seen)
