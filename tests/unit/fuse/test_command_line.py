"""The command line of `rootless-overlay`, up to the start of a server."""

import os
import sys
from pathlib import Path

import pytest

from fuse.command_line import _config, _parser, main
from fuse.overlay_options import parse_options


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str]:
    """Run it with these words; return its status and what it said to stderr."""
    monkeypatch.setattr(sys, "argv", ["rootless-overlay", *words])
    try:
        status = main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "the following arguments are required: MOUNTPOINT (see rootless-overlay --help)"),
        (("-x", "m"), "unrecognized arguments: -x (see rootless-overlay --help)"),
        (("a", "b", "c"), "unrecognized arguments: c (see rootless-overlay --help)"),
        (("m",), "lowerdir= is missing: what is to be shown?"),
        (("-o", "lowerdir=a,b", "m"), "unknown option 'b'"),
        (("-o", "b", "-o", "lowerdir=a", "m"), "unknown option 'b'"),
    ],
)
def test_a_usage_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    """What is wrong is said in one line; the status is 2."""
    assert run(monkeypatch, capsys, *words) == (2, f"rootless-overlay: {said}\n")


@pytest.mark.parametrize(
    ("options", "mountpoint", "said"),
    [
        ("lowerdir=l", "none", "not a directory: none"),
        ("lowerdir=l", "file", "not a directory: file"),
        ("lowerdir=l,upperdir=none,workdir=w", "m", "No such file or directory: none"),
        ("lowerdir=l,upperdir=u,workdir=none", "m", "No such file or directory: none"),
        ("lowerdir=l,upperdir=u,workdir=file", "m", "Not a directory: file"),
        (
            "lowerdir=l,upperdir=u,workdir=w",
            "u/inside",
            "the mountpoint lies in the upperdir or workdir: u/inside",
        ),
    ],
)
def test_what_cannot_be_opened_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    options: str,
    mountpoint: str,
    said: str,
) -> None:
    """The path is named, nothing is started or left open; the status is 1."""
    for name in ("l", "u/inside", "w", "m"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    status, text = run(monkeypatch, capsys, "-o", options, mountpoint)
    assert (status, text) == (1, f"rootless-overlay: {said}\n")


def test_version(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """-V says it in the form that container engines ask for."""
    monkeypatch.setattr(sys, "argv", ["rootless-overlay", "-V"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("rootless-overlay ")


@pytest.mark.parametrize(
    "words",
    [
        ["-o", "lowerdir=l", "-o", "b", "m"],
        ["src", "m", "-o", "lowerdir=l", "-o", "b"],
        ["m", "-olowerdir=l", "-ob"],
        ["src", "-o", "lowerdir=l", "m", "-ob"],
    ],
)
def test_orders_of_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Options come before, after and between, as mount(8) and fuse-overlayfs's callers put them."""
    assert run(monkeypatch, capsys, *words) == (2, "rootless-overlay: unknown option 'b'\n")


@pytest.mark.parametrize("word", ["-f", "--foreground", "-d", "--debug"])
def test_foreground(word: str) -> None:
    """-f stays; so does -d, as with every FUSE file system."""
    assert _parser().parse_intermixed_args(["-o", "x", word, "m"]).foreground
    assert not _parser().parse_intermixed_args(["-o", "x", "m"]).foreground


def test_every_option_reaches_the_server(tmp_path: Path) -> None:
    """Nothing that was parsed is lost on the way to the config."""
    (tmp_path / "m").mkdir()
    text = (
        f"lowerdir={tmp_path},squash_to_uid=3,squash_to_gid=4,noxattrs,noacl,static_nlink,volatile,"
        "xattr_permissions=2,ro,noatime,fsname=name"
    )
    config, fds = _config(parse_options(text), str(tmp_path / "m"))
    assert fds == ()
    assert config.mountpoint == str(tmp_path / "m")
    assert config.lowerdirs == (str(tmp_path),)
    assert (config.squash_uid, config.squash_gid) == (3, 4)
    assert (config.has_xattrs, config.has_acls, config.static_nlink) == (False, False, True)
    assert (config.is_volatile, config.keeps_stat_in_xattr) == (True, True)
    assert (config.options, config.fsname) == (("ro", "noatime"), "name")
    mapped, _ = _config(
        parse_options(f"lowerdir={tmp_path},uidmapping=0:1:2,gidmapping=3:4:5"),
        str(tmp_path / "m"),
    )
    assert (mapped.uid_mapping, mapped.gid_mapping) == (((0, 1, 2),), ((3, 4, 5),))
    assert mapped.fsname == "rootless-overlay"


def test_folders_are_opened(tmp_path: Path) -> None:
    """The upperdir and the workdir go to the server as descriptors."""
    for name in ("l", "u", "w", "m"):
        (tmp_path / name).mkdir()
    options = parse_options(f"lowerdir={tmp_path}/l,upperdir={tmp_path}/u,workdir={tmp_path}/w")
    config, fds = _config(options, str(tmp_path / "m"))
    try:
        assert (config.upperdir_fd, config.workdir_fd) == fds
        assert [os.readlink(f"/proc/self/fd/{fd}") for fd in fds] == [
            str(tmp_path / "u"),
            str(tmp_path / "w"),
        ]
    finally:
        for fd in fds:
            os.close(fd)
