"""`rootless umount` where there is nothing to do, and of several; the rest is in test_mount.py."""

from pathlib import Path

import images
import pytest
from executable import Rootless


def test_help(rootless: Rootless) -> None:
    """The help says what may be unmounted, and what a folder in use needs."""
    shown = rootless.ok("umount", "--help")
    assert shown.startswith("Usage: rootless umount [OPTIONS] DIR...\n")
    assert "`rootless mount`" in shown
    assert "--lazy" in shown


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "missing argument 'DIR' (see 'rootless umount --help')"),
        (
            ("--lasy", "d"),
            "no such option: --lasy (did you mean --lazy? see 'rootless umount --help')",
        ),
        (
            ("no/such",),
            "nothing is mounted there: no/such (only what `rootless mount` mounted is unmounted)",
        ),
        (
            ("--lazy", "/proc"),
            "a proc is mounted there: /proc (only what `rootless mount` mounted is unmounted)",
        ),
    ],
)
def test_refused(rootless: Rootless, words: tuple[str, ...], line: str) -> None:
    """Wrong usage, and what is not ours, is one line; no store is made for it."""
    result = rootless("umount", *words)
    assert (result.status, result.stdout) == (125, "")
    assert result.stderr == f"rootless: {line}\n"
    assert not rootless.home.store.exists()


@pytest.mark.needs_fuse
@pytest.mark.needs_user
def test_several(rootless: Rootless, tmp_path: Path) -> None:
    """Several folders end in one go, by any path to them; a wrong one does not undo the others."""
    layout = images.oci_layout(tmp_path / "layout", [images.small_layer()], tag="pic")
    rootless.ok("load", "-q", layout)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        rootless.ok("mount", "pic", tmp_path / name)
    (tmp_path / "link").symlink_to("b")
    result = rootless("umount", "a", "link", "layout", cwd=tmp_path)
    assert result.status == 125
    assert result.stderr.startswith("rootless: nothing is mounted there: layout (")
    assert not any((tmp_path / name).is_mount() for name in ("a", "b"))
