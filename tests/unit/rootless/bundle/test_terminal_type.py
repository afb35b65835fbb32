"""`rootless.bundle.terminal_type`: terminals that an image knows."""

from collections.abc import Callable

import pytest

from rootless.bundle.terminal_type import fitting


def image(*files: str) -> Callable[[bytes], bool]:
    """Return the look-up of an image with these files."""
    return lambda path: path.decode() in files


@pytest.mark.parametrize(
    ("files", "given", "inside"),
    [
        (["lib/terminfo/x/xterm-kitty"], "xterm-kitty", "xterm-kitty"),
        (["usr/share/terminfo/x/xterm-kitty"], "xterm-kitty", "xterm-kitty"),
        (["lib/terminfo/x/xterm", "lib/terminfo/x/xterm-256color"], "foot", "xterm-256color"),
        (["etc/terminfo/x/xterm"], "foot", "xterm"),
        ([], "foot", "foot"),
        (["lib/terminfo/x/xterm"], "dumb", "dumb"),
        (["lib/terminfo/x/xterm"], "xterm-256color", "xterm-256color"),
        (["lib/terminfo/x/xterm"], "", ""),
        (["lib/terminfo/x/xterm"], "../x", "../x"),
    ],
)
def test_types(files: list[str], given: str, inside: str) -> None:
    """A known one stays; another becomes one of today's; an image without any is left alone."""
    assert fitting((f"TERM={given}", "A=foot"), image(*files)) == (f"TERM={inside}", "A=foot")
