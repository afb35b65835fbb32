"""The screen of `rootless explore`: layers on the left, what the chosen one is about on the right.

Names come out of images, which are anybody's: they are shown as text, never as markup, and what
cannot be printed as an escape.
"""

from collections.abc import Sequence
from stat import S_ISDIR
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import DataTable, Footer, Header, Static, Tree
from textual.widgets.tree import TreeNode

from rootless.cli import table
from rootless.cli.exit import printable
from rootless.cli.layer_lines import shown
from rootless.image.layer_changes import (
    ADDED,
    CHANGED,
    DELETED,
    LayerChange,
    LayerView,
    efficiency,
    hidden_paths,
)

_STYLES = {ADDED: "green", CHANGED: "yellow", DELETED: "red"}
_OPEN_UP_TO = 60
_WASTED = 8

_Folder = dict[bytes, "_Item"]


class _Item:
    """A name in the tree of a layer's changes; folders in between have no change of their own."""

    __slots__ = ("change", "children", "hidden", "size")

    def __init__(self) -> None:
        self.change: LayerChange | None = None
        self.children: _Folder = {}
        self.size = 0
        self.hidden = 0


def folder_tree(changes: Sequence[LayerChange], kinds: frozenset[str]) -> _Folder:
    """Return the changes of these kinds by folder, with what is below each summed up.

    A folder that was there before is named for what is in it only.
    """
    top: _Folder = {}
    for change in changes:
        if change.kind not in kinds or (change.kind == CHANGED and S_ISDIR(change.mode)):
            continue
        folder = top
        for name in change.path.split(b"/"):
            item = folder.setdefault(name, _Item())
            item.size += change.size
            item.hidden += change.hidden
            folder = item.children
        item.change = change
    return top


class Explorer(App[None]):
    """All of it; `run` returns when the user has seen enough.

    Args:
        name: The image's.
        layers: The lowest first.
    """

    CSS = """
    #layers { width: 45%; height: 1fr; }
    #changes { width: 55%; height: 1fr; }
    #facts { height: auto; max-height: 12; padding: 0 1; border-top: solid $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "quit", "Quit"),
        Binding("tab", "focus_next", "Other side", show=True),
        Binding("a", "toggle_kind('A')", "Added"),
        Binding("c", "toggle_kind('C')", "Changed"),
        Binding("d", "toggle_kind('D')", "Deleted"),
        Binding("s", "toggle_order", "By size"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, name: str, layers: Sequence[LayerView]) -> None:
        super().__init__()
        self.title = printable(name)
        self.layers = layers
        self.kinds = frozenset((ADDED, CHANGED, DELETED))
        self.by_size = False
        self.chosen = 0

    def compose(self) -> ComposeResult:
        """Give the parts of the screen."""
        yield Header()
        with Horizontal():
            layers: DataTable[Text] = DataTable(id="layers", cursor_type="row")
            yield layers
            yield Tree("/", id="changes")
        yield Static(id="facts")
        yield Footer()

    def on_mount(self) -> None:
        """Fill in what stays as it is."""
        self.sub_title = (
            f"{table.size(sum(layer.added for layer in self.layers))}, "
            f"{efficiency(self.layers):.1%} of it to be seen"
        )
        rows = self.query_one("#layers", DataTable)
        rows.add_columns("Size", "Hides", "Step")
        for layer in self.layers:
            rows.add_row(
                Text(table.size(layer.added), justify="right"),
                Text(table.size(layer.wasted) if layer.wasted else "", style="red"),
                Text(printable(layer.step.created_by or layer.diff_id)),
            )
        rows.focus()
        self._show()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the layer that the cursor has come to."""
        self.chosen = event.cursor_row
        self._show()

    def action_toggle_kind(self, kind: str) -> None:
        """Show or leave out what was added, changed or deleted."""
        self.kinds = self.kinds ^ {kind}
        self._show()

    def action_toggle_order(self) -> None:
        """Sort by size, or by name again."""
        self.by_size = not self.by_size
        self._show()

    def _show(self) -> None:
        tree = self.query_one("#changes", Tree)
        tree.clear()
        if not self.layers:
            return
        layer = self.layers[self.chosen]
        self._fill(tree.root, folder_tree(layer.changes, self.kinds))
        tree.root.expand()
        self.query_one("#facts", Static).update(Text(self._facts(layer)))

    def _fill(self, parent: TreeNode[object], folder: _Folder) -> None:
        rows = sorted(folder.items())
        if self.by_size:
            rows.sort(key=lambda row: -(row[1].size + row[1].hidden))
        for name, item in rows:
            label = _label(name, item)
            if item.children:
                is_open = len(folder) == 1 or len(rows) * len(item.children) < _OPEN_UP_TO
                self._fill(parent.add(label, expand=is_open), item.children)
            else:
                parent.add_leaf(label)

    def _facts(self, layer: LayerView) -> str:
        off = [word for kind, word in _WORDS.items() if kind not in self.kinds]
        lines = [printable(layer.step.created_by), layer.diff_id]
        lines += [f"not shown: {', '.join(off)}"] if off else []
        wasted = hidden_paths(self.layers, _WASTED)
        if wasted:
            lines.append("hidden in the whole image:")
            lines += [f"  {table.size(size):>8}  {printable(shown(p))}" for p, size, _ in wasted]
        return "\n".join(line for line in lines if line)


_WORDS = {ADDED: "added", CHANGED: "changed", DELETED: "deleted"}


def _label(name: bytes, item: _Item) -> Text:
    change = item.change
    text = Text(printable(name.decode("utf-8", "backslashreplace")))
    if change is not None:
        text.stylize(_STYLES[change.kind])
    if item.children or (change is not None and S_ISDIR(change.mode)):
        text.append("/")
    if item.size:
        text.append(f"  {table.size(item.size)}", style="dim")
    if item.hidden:
        text.append(f"  hides {table.size(item.hidden)}", style="red")
    return text


def explore(name: str, layers: Sequence[LayerView]) -> None:
    """Show the layers until the user has seen enough."""
    Explorer(name, layers).run()
