"""A container's cgroup: found, made and limited, or one warning that says what is not limited.

config-linux.md, "Control groups". Where the cgroup goes, by `linux.cgroupsPath`: an absolute path
lies below the mount point of cgroup v2, a relative one below the caller's own cgroup, and with
systemd `slice:prefix:name` is a scope of the user's service manager. Without a path it is the
caller's own cgroup if that is delegated and nobody else's, else a scope if the user's systemd can
be reached. A limit that cannot be set is an error in strict mode and else a part of one warning,
for containers run on hosts of every kind; a number that the kernel refuses is an error always.
"""

import contextlib
import errno
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import Conflict, InvalidInput, Precondition, RootlessError
from rootless.oci.linux_spec import LinuxSpec
from rootless.runtime import cgroup_tree
from rootless.runtime.cgroup import Cgroup
from rootless.runtime.cgroup_settings import (
    Setting,
    not_expressible,
    settings_of,
    unfiltered_devices,
)
from rootless.runtime.cgroup_tree import Layout, Place, Refusal
from rootless.runtime.systemd_scope import DEFAULT_SLICE, ScopeName, find_bus, start_scope

log = logging.getLogger(__name__)

STRICT_ANNOTATION = "org.rootless.strict-resources"
_CHECK = "cgroup"
_LEAF = "rootless"  # where this process goes when it stands in the way
_INSIDE_SCOPE = "container"  # as crun names it: systemd leaves what is below a scope alone


@dataclass(frozen=True, slots=True)
class _Unmet:
    """A member that is asked for and not carried out, and why."""

    member: str
    why: Refusal


def strict_wanted(annotations: Mapping[str, str]) -> bool:
    """Tell whether a spec's annotations ask for an error in place of the warning."""
    return annotations.get(STRICT_ANNOTATION, "") == "true"


def prepare(
    linux: LinuxSpec, container_id: str, *, systemd: bool = False, strict: bool = False
) -> Cgroup | None:
    """Make the container's cgroup and set its limits; None where there is none to be had.

    Args:
        linux: Its `resources` and `cgroups_path` are what counts.
        container_id: Names the cgroup where `cgroups_path` does not.
        systemd: `cgroups_path` has the form slice:prefix:name.
        strict: What is asked for and cannot be limited is an error, not a warning.

    Raises Precondition (strict), InvalidInput, Conflict.
    """
    settings = settings_of(linux.resources)
    unmet = _never_met(linux)
    cgroup = None
    place = cgroup_tree.find_place()
    try:
        cgroup = _make(place, linux.cgroups_path, container_id, settings, systemd=systemd)
    except Precondition as error:
        why = Refusal(f"{error.what}: {error.on}" if error.on else error.what, error.fix)
        unmet += [_Unmet(setting.member, why) for setting in settings]
        if linux.cgroups_path:
            unmet.append(_Unmet("cgroupsPath", why))
    try:
        if cgroup is not None:
            unmet += _limit(cgroup, settings, place.layout)
        _report(unmet, strict=strict)
    except BaseException:
        if cgroup is not None:
            with contextlib.suppress(RootlessError):  # what is to be told is why it goes
                cgroup.remove()
        raise
    return cgroup


def open_cgroup(path: str) -> Cgroup:
    """Return the cgroup that `prepare` made, by its path out of a state file."""
    return Cgroup(Path(path))


def _never_met(linux: LinuxSpec) -> list[_Unmet]:
    old = Refusal("cgroup v2 has nothing like it", "")
    unmet = [_Unmet(member, old) for member in not_expressible(linux.resources)]
    if unfiltered_devices(linux.resources.devices):
        why = Refusal("only root can filter access to single devices", "leave the device out")
        unmet.append(_Unmet("devices", why))
    return unmet


def _report(unmet: list[_Unmet], *, strict: bool) -> None:
    """Say all of it in one line; raises Precondition in strict mode."""
    if not unmet:
        return
    reasons: dict[Refusal, list[str]] = {}
    for item in unmet:
        reasons.setdefault(item.why, []).append(item.member)
    if strict:
        whys = "; ".join(f"{', '.join(members)}: {why.reason}" for why, members in reasons.items())
        fixes = "; ".join(why.fix for why in reasons if why.fix)
        raise Precondition("resources cannot be limited as asked", whys, fixes, check=_CHECK)
    parts = (
        f"{', '.join(members)}: {why.reason}" + (f" ({why.fix})" if why.fix else "")
        for why, members in reasons.items()
    )
    log.warning("not limited: %s", "; ".join(parts))


# ── where ─────────────────────────────────────────────────────────────────────────────────────────


def _make(
    place: Place, path: str, container_id: str, settings: tuple[Setting, ...], *, systemd: bool
) -> Cgroup | None:
    """Make the cgroup; None where nothing was asked and nothing is delegated."""
    if systemd:
        default = f"{DEFAULT_SLICE}:rootless:{container_id}"
        return _in_scope(place, ScopeName.parse(path or default))
    controllers = {setting.controller for setting in settings if setting.controller}
    refusal = cgroup_tree.refusal(place)
    if path.startswith("/"):
        usable = place.layout is Layout.UNIFIED or refusal is None
        if place.mount_point is None or not usable:
            raise _precondition(refusal)
        return _below(place.mount_point, path, controllers)
    # what nobody has named may go where it can
    may_ask = bool(settings) and not path and place.layout is Layout.UNIFIED and bool(find_bus())
    if refusal is None and place.own is not None:
        try:
            _make_room(place.own, controllers)
            return _below(place.own, path or f"rootless-{container_id}", controllers)
        except Precondition:
            if not may_ask:
                raise
    elif not may_ask:
        if path or settings:
            raise _precondition(refusal)
        return None
    return _in_scope(place, ScopeName(DEFAULT_SLICE, f"rootless-{container_id}.scope"))


def _precondition(refusal: Refusal | None) -> Precondition:
    why = refusal or Refusal("no cgroup can be made", "")
    return Precondition(why.reason, "", why.fix, check=_CHECK)


def _in_scope(place: Place, name: ScopeName) -> Cgroup:
    if place.mount_point is None:
        raise _precondition(cgroup_tree.refusal(place))
    scope = start_scope(name, place.mount_point)
    try:
        inner = scope.path / _INSIDE_SCOPE
        inner.mkdir(exist_ok=True)
        (inner / "cgroup.procs").write_text(str(scope.pid), encoding="utf-8")
    except OSError as error:
        os.close(scope.held_fd)
        raise Precondition(f"cannot use the scope: {error.strerror}", str(scope.path)) from error
    return Cgroup(inner, scope.held_fd)


def _make_room(own: Path, controllers: Iterable[str]) -> None:
    """Leave this process's cgroup for a leaf of it where limits below it need that.

    A cgroup with processes of its own cannot give controllers to those below it. Another's
    processes are not moved; raises Precondition.
    """
    missing = set(controllers) & cgroup_tree.read_words(own / "cgroup.controllers")
    missing -= cgroup_tree.read_words(own / "cgroup.subtree_control")
    if not missing or not (own / "cgroup.type").exists():  # the root of the tree has no such rule
        return
    pids = cgroup_tree.pids_of(own)
    if not pids:
        return
    if pids != {os.getpid()}:
        raise Precondition(
            f"other processes share the cgroup {own}", "", cgroup_tree.SCOPE_FIX, check=_CHECK
        )
    leaf = own / _LEAF
    try:
        leaf.mkdir(exist_ok=True)
        (leaf / "cgroup.procs").write_text("0", encoding="utf-8")
    except OSError as error:
        raise Precondition(f"cannot leave the cgroup: {error.strerror}", str(own)) from error


def _below(top: Path, path: str, controllers: Iterable[str]) -> Cgroup:
    """Make a cgroup and those above it, with the controllers that can be had."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise InvalidInput("linux.cgroupsPath names no cgroup of its own", path)
    folder = top
    for part in parts:
        _enable(folder, controllers)
        folder /= part
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise Precondition(
                f"cannot make the cgroup: {error.strerror}",
                str(folder),
                cgroup_tree.SCOPE_FIX,
                check=_CHECK,
            ) from error
    cgroup = Cgroup(folder)
    if cgroup.pids():
        raise Conflict("the cgroup has processes already", str(folder), "name another cgroupsPath")
    if not os.access(folder / "cgroup.procs", os.W_OK):
        raise Precondition(
            "the cgroup is not delegated to you", str(folder), cgroup_tree.SCOPE_FIX, check=_CHECK
        )
    return cgroup


def _enable(folder: Path, controllers: Iterable[str]) -> None:
    """Hand controllers on; what does not get on shows when the limit is written."""
    there = cgroup_tree.read_words(folder / "cgroup.controllers")
    enabled = cgroup_tree.read_words(folder / "cgroup.subtree_control")
    for name in sorted(there.intersection(controllers) - enabled):
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{name}", encoding="utf-8")
        except OSError as error:
            log.debug("%s: cannot enable %s: %s", folder, name, error)


# ── limits ────────────────────────────────────────────────────────────────────────────────────────


def _limit(cgroup: Cgroup, settings: tuple[Setting, ...], layout: Layout) -> list[_Unmet]:
    """Write the limits; return those that have no file to be written to."""
    parent = cgroup.path.parent
    _enable(parent, {setting.controller for setting in settings if setting.controller})
    controllers = cgroup_tree.read_words(cgroup.path / "cgroup.controllers")
    unmet = []
    for setting in settings:
        writes = [(setting.file, setting.value), *([setting.instead] if setting.instead else [])]
        found = next((w for w in writes if (cgroup.path / w[0]).exists()), None)
        if found is not None:
            _write(cgroup.path, setting, *found)
        elif setting.value != "max":  # no limit asked for, and none there
            unmet.append(_Unmet(setting.member, _why_no_file(setting, controllers, layout)))
    return unmet


def _why_no_file(setting: Setting, controllers: frozenset[str], layout: Layout) -> Refusal:
    if setting.controller and setting.controller not in controllers:
        if layout is not Layout.UNIFIED:
            return cgroup_tree.BY_LAYOUT[layout]
        reason = f"the controller {setting.controller} is not delegated to you"
        return Refusal(reason, cgroup_tree.ALL_CONTROLLERS_FIX)
    return Refusal(f"this kernel has no {setting.file}", "")


def _write(path: Path, setting: Setting, file: str, value: str) -> None:
    try:
        fd = os.open(path / file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)
    except OSError as error:
        what = f"cannot set linux.resources.{setting.member}: {error.strerror}"
        if error.errno in (errno.EINVAL, errno.ERANGE, errno.ENODEV, errno.EOPNOTSUPP):
            raise InvalidInput(what, f"{file} = {value}") from error
        raise Precondition(what, str(path / file), check=_CHECK) from error
