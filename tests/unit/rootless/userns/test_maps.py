"""Which maps a user namespace gets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.errors import InvalidInput, Precondition, RootlessError
from rootless.userns.idmap import IDMap, Mapping, overlaps
from rootless.userns.maps import MapRequest, choose_maps
from rootless.userns.subid import Caller, Range, disjoint

ANN = Caller(1000, 100, ((100000, 65536),), ((200000, 65536),))
ALONE = Caller(1000, 100, reason="/etc/subuid has no range for ann")

ranges = st.lists(st.tuples(st.integers(100, 160), st.integers(1, 20)), min_size=1, max_size=4)


@st.composite
def callers(draw: st.DrawFn) -> Caller:
    """Draw somebody with sub-IDs of any shape, below and above his own ID."""
    uid, gid = draw(st.integers(0, 170)), draw(st.integers(0, 170))
    return Caller(uid, gid, disjoint(draw(ranges), uid), disjoint(draw(ranges), gid))


def inside(idmap: IDMap) -> set[int]:
    """Return every ID that a map knows inside."""
    return {n for first, length in idmap.inside_ranges() for n in range(first, first + length)}


def count(found: tuple[Range, ...]) -> int:
    """Return how many IDs some ranges hold."""
    return sum(length for _, length in found)


@settings(database=None, max_examples=60)
@given(caller=callers())
def test_default_map(caller: Caller) -> None:
    """Root is the caller, and 1 and up are his sub-IDs without a gap."""
    maps = choose_maps(MapRequest(), caller)
    assert maps.uid.to_outside(0) == caller.uid
    assert maps.gid.to_outside(0) == caller.gid
    if caller.has_subids:
        assert inside(maps.uid) == set(range(count(caller.subuids) + 1))
    assert not overlaps(maps.uid.mappings)
    assert not overlaps(maps.gid.mappings)


@settings(database=None, max_examples=80)
@given(caller=callers(), uid=st.integers(0, 120))
def test_keep_id_covers_each_id_once(caller: Caller, uid: int) -> None:
    """The caller has the ID that was asked for; every sub-ID is used, and none twice."""
    maps = choose_maps(MapRequest(f"keep-id:uid={uid}"), caller)
    assert maps.uid.to_outside(uid) == caller.uid
    assert (maps.user_uid, maps.user_gid) == (uid, caller.gid)
    assert not overlaps(maps.uid.mappings)
    if caller.has_subids:
        total = count(caller.subuids)
        below = min(uid, total)
        assert inside(maps.uid) == {*range(below), *range(uid, uid + 1 + total - below)}
        assert maps.uid.size == total + 1


def test_keep_id() -> None:
    """The caller's own IDs are his inside, with the sub-IDs below and above."""
    maps = choose_maps(MapRequest("keep-id"), ANN)
    assert maps.uid.mappings == (
        Mapping(0, 100000, 1000),
        Mapping(1000, 1000, 1),
        Mapping(1001, 101000, 64536),
    )
    assert (maps.user_uid, maps.user_gid, maps.single) == (1000, 100, False)
    assert maps.needs_helpers


def test_one_id_alone() -> None:
    """Without sub-IDs one ID is mapped, the workload's own, and the reason is kept."""
    maps = choose_maps(MapRequest(uid=33, gid=34), ALONE)
    assert maps.uid.mappings == (Mapping(33, 1000, 1),)
    assert maps.gid.mappings == (Mapping(34, 100, 1),)
    assert (maps.single, maps.reason, maps.needs_helpers) == (True, ALONE.reason, False)
    asked = choose_maps(MapRequest("single"), ANN)
    assert (asked.single, asked.reason, asked.user_uid) == (True, "", 0)
    kept = choose_maps(MapRequest("keep-id:uid=7"), ALONE)
    assert kept.uid.mappings == (Mapping(7, 1000, 1),)


def test_uidmap_counts_in_the_callers_ids() -> None:
    """FROM 0 is the caller, 1 his first sub-ID; @ID is the host's; the GIDs follow if not said."""
    request = MapRequest(uidmap=("0:1:10", "10:0", "20:@100500:2"), gidmap=("0:0:3",))
    maps = choose_maps(request, ANN)
    assert maps.uid.mappings == (
        Mapping(0, 100000, 10),
        Mapping(10, 1000, 1),
        Mapping(20, 100500, 2),
    )
    assert maps.user_uid == 10
    assert maps.gid.mappings == (Mapping(0, 100, 1), Mapping(1, 200000, 2))
    follows = choose_maps(MapRequest(uidmap=("0:0:3",)), ANN)
    assert follows.gid.mappings == maps.gid.mappings


def test_uidmap_across_two_ranges() -> None:
    """One line that spans two of the caller's ranges becomes two."""
    caller = Caller(1000, 1000, ((100, 5), (500, 5)), ((100, 5), (500, 5)))
    maps = choose_maps(MapRequest(uidmap=("0:0:9",)), caller)
    assert maps.uid.mappings == (Mapping(0, 1000, 1), Mapping(1, 100, 5), Mapping(6, 500, 3))


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        (MapRequest("nomap"), "unknown user namespace mode: nomap"),
        (MapRequest("single:x"), "unknown user namespace mode"),
        (MapRequest("container:x"), "unknown user namespace mode"),
        (MapRequest("keep-id:uid"), "not an option of keep-id: uid"),
        (MapRequest("keep-id:uid=-1"), "not an option of keep-id"),
        (MapRequest("keep-id:name=1"), "not an option of keep-id"),
        (MapRequest("keep-id:uid=4294967295"), "not an option of keep-id"),
        (MapRequest("keep-id:uid=" + "9" * 5000), "not an option of keep-id"),
        (MapRequest("keep-id", uidmap=("0:0:1",)), "--uidmap and --userns exclude each other"),
        (MapRequest(uidmap=("0",)), "must have the form INSIDE:FROM:LENGTH"),
        (MapRequest(uidmap=("0:0:1:1",)), "must have the form"),
        (MapRequest(uidmap=("@0:0:1",)), "must have the form"),
        (MapRequest(uidmap=("0:-1:1",)), "must have the form"),
        (MapRequest(uidmap=("\u0661:0:1",)), "must have the form"),
        (MapRequest(uidmap=("0:0:" + "9" * 5000,)), "must have the form"),
        (MapRequest(uidmap=("4294967295:0:1",)), "maps IDs that there are not"),
        (MapRequest(uidmap=("0:0:2", "1:5:1")), "--uidmap maps an ID twice"),
        (MapRequest(uidmap=("0:0:1", "1:0:1")), "--uidmap maps an ID twice"),
        (MapRequest(uidmap=("0:1:5",)), "must hold your own ID: 1000:100"),
    ],
)
def test_what_is_no_map(request_: MapRequest, fault: str) -> None:
    """Each mistake has its own line."""
    with pytest.raises(InvalidInput, match=fault):
        choose_maps(request_, ANN)


@pytest.mark.parametrize("line", ["0:0:0", "0:0:70000", "0:@5:1", "0:@0:1", "0:99999999:1"])
def test_ids_of_somebody_else(line: str) -> None:
    """IDs that the caller may not map are refused with those that he may."""
    with pytest.raises(Precondition, match="may not map") as caught:
        choose_maps(MapRequest(uidmap=("100:0:1", line)), ANN)
    assert "100000..165535" in str(caught.value)
    assert caught.value.check == "subid"


@settings(database=None, max_examples=60)
@given(
    lines=st.lists(st.text("0123:@", max_size=8), max_size=2).map(tuple),
    mode=st.sampled_from(["", "host", "single", "keep-id"]),
)
def test_any_request(lines: tuple[str, ...], mode: str) -> None:
    """Whatever is asked, a map uses the caller's own IDs only, and each once."""
    try:
        maps = choose_maps(MapRequest(mode, lines), ANN)
    except RootlessError:
        return
    for line in maps.uid.mappings:
        first, last = line.outside, line.outside + line.length - 1
        assert first == last == 1000 or 100000 <= first <= last < 165536
    assert not overlaps(maps.uid.mappings)
