"""All checks of this host, in the order in which one builds on another."""

import json
from collections.abc import Sequence

from rootless import __version__
from rootless.doctor import (
    additional,
    cgroup,
    fuse_device,
    kernel,
    libraries,
    network,
    overlay,
    seccomp,
    store_fs,
    subid,
    userns,
)
from rootless.doctor.check import Check, State
from rootless.paths import Paths
from rootless.userns.restriction import Surroundings
from rootless.userns.subid import Caller


def run_checks(paths: Paths) -> tuple[Check, ...]:
    """Look at everything; leaves nothing behind."""
    around = Surroundings.read()
    caller = Caller.current()
    userns_facts = userns.gather(caller, around)
    works = userns_facts.refused is None
    subid_facts = subid.gather(caller, userns_works=works)
    fuse_facts = fuse_device.gather(caller, userns_works=works)
    scratch = store_fs.gather(paths.scratch)
    return (
        kernel.check_kernel(kernel.gather(seccomp=around.seccomp)),
        userns.check_userns(userns_facts),
        subid.check_subid(subid_facts),
        subid.check_helpers(subid_facts),
        fuse_device.check_device(fuse_facts),
        fuse_device.check_fusermount(fuse_facts),
        store_fs.check_store(store_fs.gather(paths.store)),
        additional.check_additional(additional.gather(paths)),
        store_fs.check_scratch(scratch),
        store_fs.check_runtime(store_fs.gather(paths.runtime)),
        overlay.check_overlay(overlay.gather(caller, scratch, userns_works=works)),
        network.check_network(network.gather(caller, userns_works=works)),
        seccomp.check_seccomp(seccomp.gather()),
        cgroup.check_cgroup(cgroup.gather()),
        libraries.check_libraries(libraries.gather()),
    )


def can_run(checks: Sequence[Check]) -> bool:
    """Tell whether `rootless run` can work: warnings do not stand in the way."""
    return all(check.state is not State.FAILED for check in checks)


def to_json(checks: Sequence[Check]) -> str:
    """Return the report for programs; keys are only ever added."""
    document = {
        "version": __version__,
        "can_run": can_run(checks),
        "checks": [
            {
                "name": check.name,
                "state": check.state.value,
                "seen": check.seen,
                "cause": check.cause,
                "fix": check.fix,
            }
            for check in checks
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def to_text(checks: Sequence[Check], *, width: int, color: bool) -> str:
    """Return the report for people: one line a check, cause and fix below where there are some."""
    name_width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        state = f"{check.state.value:7}"
        if color:
            state = f"\x1b[{_COLORS[check.state]}m{state}\x1b[0m"
        head = f"{check.name:{name_width}}  "
        lines += _wrapped(f"{state}  {head}", 9 + len(head), check.seen, width)
        for label, text in (("cause", check.cause), ("fix", check.fix)):
            if text:
                indent = " " * 9
                lines += _wrapped(f"{indent}{label:5}  ", 16, text, width)
    lines.append("")
    failed = [check.name for check in checks if check.state is State.FAILED]
    if failed:
        lines.append(f"rootless run cannot work here yet: {', '.join(failed)}")
    else:
        lines.append("rootless run can work here")
    return "\n".join(lines)


_COLORS = {State.OK: 32, State.WARNING: 33, State.FAILED: 31}


def _wrapped(head: str, indent: int, text: str, width: int) -> list[str]:
    """Wrap at spaces; a word longer than the line, such as a path, stays whole."""
    room = max(width - indent, 20)
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return [head + lines[0], *(" " * indent + rest for rest in lines[1:])]
