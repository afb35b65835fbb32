"""`rootless.cli.explore_screen`, driven by textual's own Pilot."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.widgets import DataTable, Static, Tree
from textual.widgets.tree import TreeNode

from rootless.cli.explore_screen import Explorer, folder_tree
from rootless.image.layer_changes import ADDED, CHANGED, DELETED, LayerChange, LayerView
from rootless.oci.digest import sha256_of
from rootless.oci.image_config import History

FILE, FOLDER = 0o100644, 0o040755
ALL = frozenset((ADDED, CHANGED, DELETED))
LAYERS = [
    LayerView(
        sha256_of(b"a"),
        4096,
        History(created_by="COPY [red]rootfs[/] /\x1b[2J"),
        (
            LayerChange(b"etc", ADDED, FOLDER, 0),
            LayerChange(b"etc/a\x1b[31m", ADDED, FILE, 1000),
            LayerChange(b"etc/b", ADDED, FILE, 20),
        ),
    ),
    LayerView(
        sha256_of(b"b"),
        2048,
        History(),
        (
            LayerChange(b"etc", CHANGED, FOLDER, 0),
            LayerChange(b"etc/b", DELETED, FILE, 0, 20),
            LayerChange(b"opt/big", ADDED, FILE, 3000),
        ),
    ),
]


def labels(node: TreeNode[object]) -> list[str]:
    """Return all labels below a node, with their depth as dots."""
    found = []
    for child in node.children:
        found.append(str(child.label))
        found += ["." + label for label in labels(child)]
    return found


def driven(script: Callable[[Explorer, Callable[..., Awaitable[None]]], Awaitable[None]]) -> None:
    """Run the screen without a terminal, and a script on it."""

    async def run() -> None:
        app = Explorer("pic:latest", LAYERS)
        async with app.run_test() as pilot:
            await pilot.pause()

            async def press(*keys: str) -> None:
                await pilot.press(*keys)
                await pilot.pause()

            await script(app, press)

    asyncio.run(run())


def test_sums_are_those_of_what_is_below() -> None:
    """Each folder has the bytes of all that is in it; known folders have no line of their own."""
    top = folder_tree(LAYERS[1].changes, ALL)
    assert sorted(top) == [b"etc", b"opt"]
    assert (top[b"etc"].size, top[b"etc"].hidden, top[b"etc"].change) == (0, 20, None)
    assert top[b"opt"].size == 3000
    assert folder_tree(LAYERS[1].changes, frozenset((CHANGED,))) == {}


def test_what_is_shown() -> None:
    """The layers, the chosen one's files, markup as text; keys do as the footer says."""

    async def script(app: Explorer, press: Callable[..., Awaitable[None]]) -> None:
        rows, tree = app.query_one("#layers", DataTable), app.query_one("#changes", Tree)
        assert rows.row_count == 2
        assert [str(cell) for cell in rows.get_row_at(0)] == [
            "1.02 kB",
            "",
            "COPY [red]rootfs[/] /\\x1b[2J",
        ]
        assert labels(tree.root) == ["etc/  1.02 kB", ".a\\x1b[31m  1 kB", ".b  20 B"]
        await press("down")
        etc, opt = ["etc/  hides 20 B", ".b  hides 20 B"], ["opt/  3 kB", ".big  3 kB"]
        assert labels(tree.root) == [*etc, *opt]
        assert "/etc/b" in str(app.query_one("#facts", Static).render())
        await press("s")
        assert labels(tree.root) == [*opt, *etc]
        await press("a")
        assert labels(tree.root) == etc
        assert "not shown: added" in str(app.query_one("#facts", Static).render())
        await press("a", "d")
        assert labels(tree.root) == opt
        assert "99.5%" in app.sub_title
        await press("q")
        assert app.return_value is None
        assert not app.is_running

    driven(script)
