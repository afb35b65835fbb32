"""Which ID maps a user namespace gets: from what was asked for and what the caller has.

Three kinds, as `podman run --userns` names them where it has a name:

- default: container 0 is the caller, 1 and up are his sub-IDs one after the other;
- keep-id: the caller has his own ID inside, his sub-IDs fill the IDs below and above it;
- single: one ID only, mapped to the ID that the workload runs as; the only one without sub-IDs.
"""

import re
from dataclasses import dataclass

from rootless.errors import InvalidInput, Precondition
from rootless.oci.document import HIGHEST_ID
from rootless.userns.idmap import IDMap, Mapping, overlaps, sequential
from rootless.userns.subid import Caller, Range

_NUMBER = re.compile(r"[0-9]{1,10}")
_MODES = ("", "host", "keep-id", "single")


@dataclass(frozen=True, slots=True)
class MapRequest:
    """What the command line asked for.

    Attributes:
        mode: "" or "host" (the default map), "keep-id", "keep-id:uid=N,gid=N" or "single".
        uidmap: `--uidmap` values, INSIDE:FROM:LENGTH each.
        gidmap: `--gidmap` values; the UID's where empty.
        uid: The UID that the workload runs as, None for the map's own choice.
        gid: The same for its GID.
    """

    mode: str = ""
    uidmap: tuple[str, ...] = ()
    gidmap: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, slots=True)
class Maps:
    """The maps of a user namespace and what they mean.

    Attributes:
        uid: uid_map.
        gid: gid_map.
        user_uid: The caller's UID inside.
        user_gid: The caller's GID inside.
        single: One ID only.
        reason: Why it is one only; "" where it was asked for or is not so.
        privileged: The caller is root of a namespace in which the outside IDs are all his.
    """

    uid: IDMap
    gid: IDMap
    user_uid: int
    user_gid: int
    single: bool
    reason: str = ""
    privileged: bool = False

    @property
    def needs_helpers(self) -> bool:
        """Tell whether newuidmap and newgidmap must write the maps."""
        return not self.privileged and (self.uid.size > 1 or self.gid.size > 1)

    @property
    def allows_setgroups(self) -> bool:
        """Tell whether setgroups(2) works inside: it is given up with a map written by hand."""
        return self.privileged or self.needs_helpers


def choose_maps(request: MapRequest, caller: Caller) -> Maps:
    """Return the maps for a request; raises InvalidInput or Precondition."""
    mode, _, options = request.mode.partition(":")
    if mode not in _MODES or (options and mode != "keep-id"):
        raise InvalidInput(
            "unknown user namespace mode",
            request.mode,
            "one of host, keep-id, keep-id:uid=N,gid=N, single",
        )
    if request.uidmap or request.gidmap:
        if mode not in ("", "host"):
            raise InvalidInput("--uidmap and --userns exclude each other", request.mode)
        return _explicit(request, caller)
    if mode == "keep-id":
        return _keep_id(options, caller)
    if mode == "single" or not caller.has_subids:
        reason = "" if mode == "single" else caller.reason
        return _single(caller, request.uid or 0, request.gid or 0, reason)
    return _whole(
        sequential([(caller.uid, 1), *caller.subuids]),
        sequential([(caller.gid, 1), *caller.subgids]),
        caller,
    )


def _whole(uid: list[Mapping], gid: list[Mapping], caller: Caller) -> Maps:
    uid_map, gid_map = IDMap(tuple(uid)), IDMap(tuple(gid))
    user_uid, user_gid = uid_map.to_inside(caller.uid), gid_map.to_inside(caller.gid)
    if user_uid is None or user_gid is None:
        # The store and the upperdir are the caller's: the process that serves them is he.
        raise InvalidInput(
            "the ID maps must hold your own ID",
            f"{caller.uid}:{caller.gid}",
            "add a line with FROM 0, such as --uidmap 0:0:1",
        )
    return Maps(uid_map, gid_map, user_uid, user_gid, single=uid_map.size == 1)


def _single(caller: Caller, uid: int, gid: int, reason: str) -> Maps:
    return Maps(
        IDMap((Mapping(uid, caller.uid, 1),)),
        IDMap((Mapping(gid, caller.gid, 1),)),
        uid,
        gid,
        single=True,
        reason=reason,
    )


def _keep_id(options: str, caller: Caller) -> Maps:
    wanted = {"uid": caller.uid, "gid": caller.gid}
    for option in filter(None, options.split(",")):
        name, _, value = option.partition("=")
        number = _number(value)
        if name not in wanted or number is None or number > HIGHEST_ID:
            raise InvalidInput("not an option of keep-id", option, "uid=N or gid=N")
        wanted[name] = number
    if not caller.has_subids:
        return _single(caller, wanted["uid"], wanted["gid"], caller.reason)
    return _whole(
        _around(wanted["uid"], caller.uid, caller.subuids),
        _around(wanted["gid"], caller.gid, caller.subgids),
        caller,
    )


def _around(inside: int, outside: int, subids: tuple[Range, ...]) -> list[Mapping]:
    """Map `inside` to the caller and fill the IDs below it, then those above, with sub-IDs."""
    below: list[Range] = []
    above: list[Range] = []
    room = inside
    for first, length in subids:
        take = min(room, length)
        if take:
            below.append((first, take))
            room -= take
        if length > take:
            above.append((first + take, length - take))
    return [*sequential(below), Mapping(inside, outside, 1), *sequential(above, inside + 1)]


def _explicit(request: MapRequest, caller: Caller) -> Maps:
    uidmap = request.uidmap or request.gidmap
    uid = _parse("--uidmap", uidmap, (caller.uid, *caller.subuids), caller)
    gid = _parse("--gidmap", request.gidmap or uidmap, (caller.gid, *caller.subgids), caller)
    return _whole(uid, gid, caller)


def _parse(
    option: str, values: tuple[str, ...], own: tuple[int | Range, ...], caller: Caller
) -> list[Mapping]:
    """Parse INSIDE:FROM:LENGTH; FROM counts in the caller's IDs (0 he, 1 his first sub-ID).

    That is podman's rule without root; `@ID` names an ID of the host, as there.
    """
    available = sequential([(item, 1) if isinstance(item, int) else item for item in own])
    mappings: list[Mapping] = []
    for value in values:
        fields = value.split(":")
        if len(fields) == 2:
            fields.append("1")
        host = fields[1:] != [] and fields[1].startswith("@")
        if host:
            fields[1] = fields[1].removeprefix("@")
        numbers = [number for number in map(_number, fields) if number is not None]
        if len(fields) != 3 or len(numbers) != 3:
            raise InvalidInput(f"{option} must have the form INSIDE:FROM:LENGTH", value)
        inside, first, length = numbers
        if inside + length > HIGHEST_ID + 1:
            raise InvalidInput(f"{option} maps IDs that there are not", value)
        pieces = _pieces(available, first, length, host=host)
        if length < 1 or sum(size for _, size in pieces) != length:
            raise Precondition(
                f"{option} asks for IDs that you may not map",
                value,
                caller.reason
                or f"you have {sum(m.length for m in available)} IDs: "
                + ", ".join(f"{m.outside}..{m.outside + m.length - 1}" for m in available),
                check="subid",
            )
        mappings += sequential(pieces, inside)
    if overlaps(mappings):
        raise InvalidInput(f"{option} maps an ID twice", " ".join(values))
    return mappings


def _number(text: str) -> int | None:
    """Return a number of at most ten digits, None for anything else."""
    return int(text) if _NUMBER.fullmatch(text) else None


def _pieces(available: list[Mapping], first: int, length: int, *, host: bool) -> list[Range]:
    """Return the host ranges behind `length` IDs from `first` on."""
    pieces = []
    for line in available:
        start = line.outside if host else line.inside
        low = max(first, start)
        high = min(first + length, start + line.length)
        if low < high:
            pieces.append((line.outside + low - start, high - low))
    return pieces
