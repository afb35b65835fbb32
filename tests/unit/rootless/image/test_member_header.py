"""`rootless.image.member_header`: what is written is what both readers read."""

import stat
import tarfile
from io import BytesIO

import pytest
import trees
from hypothesis import given
from hypothesis import strategies as st

from rootless.image.member_header import (
    END,
    Member,
    _any_header,
    _decimal,
    header,
    padding,
    plain_header,
)

_TYPES = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO)
_NUMBERS = st.sampled_from((0, 1, 100_000, 8**7 - 1, 8**7))
_NAMES = st.text("ab/ \n\x7fé", min_size=1, max_size=5).map(lambda text: text * 40)
_SHORT_NAMES = st.text("ab/.é", min_size=1, max_size=101)


@given(
    kind=st.sampled_from(_TYPES),
    mode=st.integers(0, 0o7777),
    names=st.tuples(_NAMES | _SHORT_NAMES, _NAMES | _SHORT_NAMES),
    ids=st.tuples(_NUMBERS, _NUMBERS),
    size=st.sampled_from((0, 7, 8**11 - 1, 8**11)),
    time_ns=st.integers(-(10**9), 8**11 * 10**9) | st.integers(0, 2**31).map(lambda s: s * 10**9),
    is_link=st.booleans(),
)
def test_the_quick_way_gives_the_same_bytes(  # noqa: PLR0917 - the parts of a member
    kind: int,
    mode: int,
    names: tuple[str, str],
    ids: tuple[int, int],
    size: int,
    time_ns: int,
    is_link: bool,  # noqa: FBT001
) -> None:
    """Whatever is written without `tarfile` is what that would have written."""
    target, link = (names[1], "") if kind == stat.S_IFLNK else ("", names[1] if is_link else "")
    member = Member(names[0], kind | mode, *ids, time_ns, size, target, link=link)
    plain = plain_header(member)
    if plain is not None:
        assert plain == _any_header(member, None)


def test_ordinary_members_go_the_quick_way() -> None:
    """A file, a folder and a link with short names are ordinary."""
    for kind, target in ((stat.S_IFREG, ""), (stat.S_IFDIR, ""), (stat.S_IFLNK, "t")):
        member = Member("usr/lib/x", kind | 0o755, 0, 0, 10**18 + 1, target=target)
        assert plain_header(member) is not None


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [(1, "0.000000001"), (-1, "-0.000000001"), (-1_500_000_000, "-1.500000000")],
)
def test_decimal(time_ns: int, text: str) -> None:
    """Times before 1970 count down from zero, as pax has them."""
    assert _decimal(time_ns) == text


def test_a_whole_second_needs_no_record() -> None:
    """An ordinary member is one block; a fraction of a second adds a pax header."""
    plain = Member("a", stat.S_IFREG | 0o644, 0, 0, 5 * 10**9)
    assert len(header(plain)) == 512
    assert b"mtime=5.000000001\n" in header(Member("a", stat.S_IFREG, 0, 0, 5 * 10**9 + 1))


def test_every_kind_reads_back() -> None:
    """Type, owner, device, links and attributes are read as they were written."""
    xattrs = {b"user.a=b c": b"\0\xff", b"user.plain": b"=\n"}
    members = [
        Member(".", stat.S_IFDIR | 0o755, 0, 0, 0),
        Member("f", stat.S_IFREG | 0o4755, 1, 2, 0, size=3, xattrs=xattrs),
        Member("h", stat.S_IFREG | 0o4755, 1, 2, 0, size=3, link="f"),
        Member("l", stat.S_IFLNK | 0o777, 0, 0, 0, target="f" * 200),
        Member("c", stat.S_IFCHR | 0o600, 0, 0, 0, rdev=(1 << 8) | 3),
        Member("p", stat.S_IFIFO | 0o600, 3_000_000, 0, 0),
    ]
    tar = b"".join(
        header(each) + (b"abc" + padding(3) if each.size and not each.link else b"")
        for each in members
    )
    read = {entry.path: (entry, xattrs) for entry, xattrs, _ in trees.parse(tar + END)}
    assert list(read) == [b"", b"f", b"h", b"l", b"c", b"p"]
    assert read[b"f"][1] == xattrs
    assert (read[b"f"][0].mode, read[b"f"][0].uid, read[b"f"][0].gid) == (0o104755, 1, 2)
    assert read[b"h"][0].target == b"f"
    assert read[b"c"][0].rdev == (1 << 8) | 3
    assert read[b"p"][0].uid == 3_000_000
    with tarfile.open(fileobj=BytesIO(tar + END)) as archive:
        assert [each.type for each in archive] == [b"5", b"0", b"1", b"2", b"3", b"6"]
