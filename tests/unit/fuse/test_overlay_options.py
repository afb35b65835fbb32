"""The options of `rootless-overlay -o`."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuse.overlay_options import OptionError, OverlayOptions, parse_options

LOWER = OverlayOptions(lowerdirs=("/l",))
UPPER = replace(LOWER, upperdir="/u", workdir="/w")

paths = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1)
awkward = st.text(st.sampled_from("a:,\\= \n"), min_size=1, max_size=6)


def escaped(path: str) -> str:
    """Return a path as somebody writes it who knows the escapes."""
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("squash_to_root", {"squash_uid": 0, "squash_gid": 0}),
        ("squash_to_uid=7", {"squash_uid": 7}),
        ("squash_to_gid=4294967294", {"squash_gid": 4294967294}),
        ("squash_to_root,squash_to_uid=7", {"squash_uid": 7, "squash_gid": 0}),
        ("uidmapping=0:1000:1:1:100000:65536", {"uid_mapping": ((0, 1000, 1), (1, 100000, 65536))}),
        ("gidmapping=0:5:4294967290", {"gid_mapping": ((0, 5, 4294967290),)}),
        ("xattr_permissions=0", {}),
        ("xattr_permissions=1", {"keeps_stat_in_xattr": True}),
        ("xattr_permissions=2", {"keeps_stat_in_xattr": True}),
        ("noxattrs", {"has_xattrs": False}),
        ("noxattrs=1", {"has_xattrs": False}),
        ("noxattrs,noxattrs=0", {"has_xattrs": True}),
        ("noacl", {"has_acls": False}),
        ("static_nlink", {"static_nlink": True}),
        ("volatile", {"is_volatile": True}),
        ("fsync=0", {"is_volatile": True}),
        ("fsync=1", {}),
        ("fsync=0,fsync=1", {}),
        ("fsname=a=b", {"fsname": "a=b"}),
        ("fsname=", {}),
    ],
)
def test_what_each_option_sets(text: str, changes: dict[str, Any]) -> None:
    """Each option sets what it is named for and nothing else; later ones win."""
    assert parse_options(f"lowerdir=/l,{text}") == replace(LOWER, **changes)


@pytest.mark.parametrize(
    "word",
    [
        *("ro", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "atime", "noatime"),
        *("diratime", "nodiratime", "relatime", "norelatime", "strictatime", "sync", "async"),
        *("dirsync", "allow_other", "allow_root", "max_read=4096"),
    ],
)
def test_words_for_the_mount(word: str) -> None:
    """What mount.fuse3(8) takes is passed on."""
    assert parse_options(f"{word},lowerdir=/l").mount == (word,)


@pytest.mark.parametrize(
    "word",
    [
        *("", "rw", "defaults", "default_permissions", "userxattr", "auto", "noauto", "user"),
        *("nouser", "users", "owner", "group", "_netdev", "nofail", "x-systemd.automount"),
        *("comment=anything", "redirect_dir=on", "index=off"),
        *("metacopy=on", "xino=auto", "uuid=null", "nfs_export=off", "subtype=x", "threaded=0"),
        *("fast_ino=1", "writeback=1", "timeout=1.5", "clone_fd", "max_idle_threads=10"),
    ],
)
def test_words_without_effect(word: str) -> None:
    """What others understand, and is here always or never so, changes nothing."""
    assert parse_options(f"lowerdir=/l,{word},upperdir=/u,workdir=/w") == UPPER


def test_many_lowers() -> None:
    """They keep their order, the uppermost first."""
    assert parse_options("lowerdir=/c:b/:/a.tar").lowerdirs == ("/c", "b/", "/a.tar")


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r"/a\:b", "/a:b"),
        (r"/a\,b", "/a,b"),
        (r"/a\\", "/a\\"),
        (r"/a\\\:b", r"/a\:b"),
        (r"/a\\\,b", r"/a\,b"),
        (r"/a\b", "/ab"),
        ("/a=b", "/a=b"),
        (" /a ", " /a "),
    ],
)
def test_escapes(written: str, path: str) -> None:
    r"""`\:` and `\,` stand for themselves, `\\` for a backslash; nothing else is special."""
    assert parse_options(f"lowerdir={written}:/x,ro").lowerdirs == (path, "/x")
    assert parse_options(f"lowerdir=/l,upperdir={written},workdir=/w").upperdir == path


@settings(database=None)
@given(lowers=st.lists(paths | awkward, min_size=1), upper=paths | awkward, work=paths | awkward)
def test_every_path_can_be_written(lowers: list[str], upper: str, work: str) -> None:
    """What is written with the escapes is read as it was."""
    text = f"lowerdir={':'.join(map(escaped, lowers))},upperdir={escaped(upper)}"
    found = parse_options(f"{text},volatile,workdir={escaped(work)}")
    expected = OverlayOptions(tuple(lowers), upper, work, is_volatile=True)
    assert found == expected


@settings(database=None)
@given(st.text(max_size=40) | st.text(st.sampled_from("lowerdi=,:\\0123x"), max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Nothing but OptionError comes of any text, and what is taken has a lower."""
    with contextlib.suppress(OptionError):
        assert parse_options(text).lowerdirs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lowerdir= is missing: what is to be shown?"),
        ("ro", "lowerdir= is missing: what is to be shown?"),
        ("lowerdir", "lowerdir needs a value"),
        ("lowerdir=", "lowerdir names an empty path: ''"),
        ("lowerdir=/a::/b", "lowerdir names an empty path: '/a::/b'"),
        ("lowerdir=/l,upperdir=,workdir=/w", "upperdir names an empty path"),
        ("lowerdir=/l,upperdir=/u", "workdir= is missing: an empty folder on the same file system"),
        ("lowerdir=/l,workdir=/w", "upperdir= is missing; without it the mount is read-only"),
        ("lowerdir=/l,nonsense", "unknown option 'nonsense'"),
        ("lowerdir=/l,volatile=1", "unknown option 'volatile=1'"),
        ("lowerdir=/l,\x1b[31m", r"unknown option '\x1b[31m'"),
        ("lowerdir=/l,squash_to_uid", "squash_to_uid needs a value"),
        ("lowerdir=/l,squash_to_uid=x", "squash_to_uid must be a number, 0 to 4294967294: 'x'"),
        ("lowerdir=/l,squash_to_gid=-1", "squash_to_gid must be a number, 0 to 4294967294: '-1'"),
        ("lowerdir=/l,squash_to_gid=4294967295", "squash_to_gid must be a number, 0 to 4294967294"),
        ("lowerdir=/l,squash_to_gid=" + "9" * 5000, "squash_to_gid must be a number"),
        ("lowerdir=/l,uidmapping=0:1", "uidmapping must have the form SHOWN:STORED:LENGTH"),
        ("lowerdir=/l,uidmapping=", "uidmapping must have the form SHOWN:STORED:LENGTH"),
        ("lowerdir=/l,gidmapping=0:1:x", "gidmapping must be a number"),
        (
            "lowerdir=/l,gidmapping=0:1:0",
            "gidmapping goes beyond the IDs 0 to 4294967294, or has no",
        ),
        ("lowerdir=/l,uidmapping=2:0:4294967294", "uidmapping goes beyond the IDs"),
        ("lowerdir=/l,xattr_permissions=3", "xattr_permissions must be 0, 1 or 2: '3'"),
        ("lowerdir=/l,fsync=2", "fsync must be 0 or 1: '2'"),
        ("lowerdir=/l,squash_to_root,uidmapping=0:1:1", "squash_to_* and uidmapping=, gidmapping="),
    ],
)
def test_errors(text: str, said: str) -> None:
    """Each is one sentence that names the option and what it wants."""
    with pytest.raises(OptionError) as caught:
        parse_options(text)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
