"""The workload's user, out of an image's own files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.bundle.users import ImageUser, group_with, passwd_with, resolve_user
from rootless.errors import InvalidInput

PASSWD = b"""root:x:0:0:root:/root:/bin/bash
ann:x:1000:100:Ann:/home/ann:/bin/sh
1000:x:2000:200::/home/number:/bin/sh
nohome:x:5:6::relative:/bin/false"""
GROUP = b"""root:x:0:
users:x:100:ann
wheel:x:10:ann,root
100:x:7:
disk:x:6:nobody
"""
HIGHEST = 2**32 - 2


@pytest.mark.parametrize(
    ("text", "uid", "gid", "more", "home"),
    [
        ("", 0, 0, (10,), "/root"),
        ("root", 0, 0, (10,), "/root"),
        ("ann", 1000, 100, (10,), "/home/ann"),
        ("1000", 2000, 200, (), "/home/number"),  # a name wins over a number
        ("2000", 2000, 200, (), "/home/number"),
        ("ann:wheel", 1000, 10, (), "/home/ann"),
        ("ann:100", 1000, 7, (), "/home/ann"),
        ("ann:55", 1000, 55, (), "/home/ann"),
        ("ann:", 1000, 100, (10,), "/home/ann"),
        (":wheel", 0, 10, (), "/root"),
        ("5", 5, 6, (), "/"),
        ("77", 77, 0, (), "/"),
        (f"{HIGHEST}:{HIGHEST}", HIGHEST, HIGHEST, (), "/"),
        ("0000000000000000", 0, 0, (10,), "/root"),
    ],
)
def test_who_it_is(text: str, uid: int, gid: int, more: tuple[int, ...], home: str) -> None:
    """image-spec config.md, User: names and numbers; groups of passwd unless one is said."""
    user = resolve_user(text, PASSWD, GROUP)
    assert (user.uid, user.gid, user.additional_gids, user.home) == (uid, gid, more, home)


def test_known_is_told() -> None:
    """A number that the image's passwd does not have is no error, and is told apart."""
    assert resolve_user("ann", PASSWD, GROUP).known
    assert not resolve_user("77", PASSWD, GROUP).known
    assert resolve_user("3:4", None, None) == ImageUser(3, 4, (), "/", known=False)


def test_more_groups() -> None:
    """--group-add takes names and numbers, each once."""
    added = resolve_user("ann", PASSWD, GROUP, ("disk", "10", "4242"))
    assert added.additional_gids == (10, 6, 4242)


@pytest.mark.parametrize(
    ("text", "groups", "fault"),
    [
        ("bob", (), "no such user in the image's /etc/passwd: bob"),
        ("ann:bobs", (), "no such group in the image's /etc/group: bobs"),
        ("ann", ("bobs",), "no such group"),
        ("-1", (), "no such user"),
        ("4294967295", (), "not a user or group ID: 4294967295"),
        ("0:4294967295", (), "not a user or group ID"),
        ("9" * 5000, (), "not a user or group ID: 9{20}…"),
        ("0:" + "9" * 5000, (), "not a user or group ID"),
        ("\u0661", (), "no such user"),
        ("1e3", (), "no such user"),
    ],
)
def test_nobody(text: str, groups: tuple[str, ...], fault: str) -> None:
    """Unknown names and IDs that the kernel would take for "no change" are refused."""
    with pytest.raises(InvalidInput, match=fault):
        resolve_user(text, PASSWD, GROUP, groups)


@pytest.mark.parametrize(
    "line",
    [
        b"mal:x:-1:0::/:/bin/sh",
        b"mal:x:4294967295:0::/:/bin/sh",
        b"mal:x:0:4294967296::/:/bin/sh",
        b"mal:x:" + b"9" * 5000 + b":0::/:/bin/sh",
        b"mal:x:0",
        b"mal:x:zero:0::/:/bin/sh",
        b"mal:x: 0:0::/:/bin/sh",
        b"mal:x:\xd9\xa1:0::/:/bin/sh",
        b"mal:x:0:0::/\0:/bin/sh",
        b"ann2:x:9:9:\xe2\x80\xa8mal:x:0:0::/:/bin/sh",
        b"ann2:x:9:9:\x0bmal:x:0:0::/:/bin/sh",
        b"",
    ],
)
def test_hostile_passwd_lines_are_passed_over(line: bytes) -> None:
    """A line that is none gives no user, and does not hide the lines after it."""
    passwd = line + b"\n" + PASSWD
    with pytest.raises(InvalidInput, match="no such user"):
        resolve_user("mal", passwd, GROUP)
    assert resolve_user("ann", passwd, GROUP).uid == 1000


@settings(database=None, max_examples=40)
@given(
    text=st.text(max_size=6),
    passwd=st.none() | st.text(":0123\nax", max_size=40).map(str.encode) | st.binary(max_size=20),
    group=st.none() | st.text(":0123\nax,", max_size=40).map(str.encode) | st.binary(max_size=20),
)
def test_any_files(text: str, passwd: bytes | None, group: bytes | None) -> None:
    """Whatever an image's files hold, the IDs are ones that a process can have."""
    try:
        user = resolve_user(text, passwd, group)
    except InvalidInput:
        return
    assert all(0 <= number <= HIGHEST for number in (user.uid, user.gid, *user.additional_gids))
    assert user.home.startswith("/")
    assert "\0" not in user.home


def test_lines_for_a_user_whom_the_image_does_not_know() -> None:
    """The new lines stand by themselves, also behind a file without a last newline."""
    user = ImageUser(1234, 4321, (), "/home/me", known=False)
    passwd = passwd_with(PASSWD, "me", user)
    assert passwd == PASSWD + b"\nme:*:1234:4321:me:/home/me:/bin/sh\n"
    assert resolve_user("me", passwd, None).home == "/home/me"
    assert passwd_with(b"", "me", user).count(b"\n") == 1
    assert group_with(GROUP, "me", 4321) == GROUP + b"me:x:4321:\n"
    assert group_with(GROUP, "me", 10) == GROUP
    assert group_with(GROUP, "wheel", 4321) == GROUP
