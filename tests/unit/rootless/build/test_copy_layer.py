"""`rootless.build.copy_layer`: attributes of what is copied."""

import stat

from rootless.build.copy_layer import Attributes
from rootless.build.copy_source import MADE_NOW, Node

FILE = Node(b"f", stat.S_IFREG | 0o6755, uid=3, gid=4)


def test_owners() -> None:
    """The instruction's, else the source's, else root's."""
    assert Attributes(None, None, 0).owner_of(FILE) == (3, 4)
    assert Attributes(None, None, 0).owner_of(None) == (0, 0)
    assert Attributes((7, 8), None, 0).owner_of(FILE) == (7, 8)
    assert Attributes((7, 8), None, 0).owner_of(None) == (7, 8)


def test_permissions() -> None:
    """Set-ID bits of a context are taken away; --chmod says all there is, but of links."""
    plain = Attributes(None, None, 0)
    assert plain.mode_of(FILE, keeps_set_id=True) == stat.S_IFREG | 0o6755
    assert plain.mode_of(FILE, keeps_set_id=False) == stat.S_IFREG | 0o755
    changed = Attributes(None, 0o4711, 0)
    assert changed.mode_of(FILE, keeps_set_id=False) == stat.S_IFREG | 0o4711
    link = Node(b"l", stat.S_IFLNK | 0o777)
    assert changed.mode_of(link, keeps_set_id=False) == link.mode


def test_times() -> None:
    """None is later than the latest."""
    assert Attributes(None, None, 5).clamped(9) == 9
    assert Attributes(None, None, 5).clamped(MADE_NOW) == 5
    assert Attributes(None, None, 5, 3).clamped(MADE_NOW) == 3
    assert Attributes(None, None, 5, 3).clamped(2) == 2
