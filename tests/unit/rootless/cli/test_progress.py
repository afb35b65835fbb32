"""Progress bars."""

import io

from rich.console import Console
from rich.progress import Progress

from rootless.cli.progress import Bars, shown


def test_nothing_where_nobody_looks() -> None:
    """Without a terminal, or with --quiet, there is no progress at all."""
    with shown(quiet=False) as progress:
        assert progress is None
    with shown(quiet=True) as progress:
        assert progress is None


def test_bars() -> None:
    """A bar a layer, which ends with all its bytes; names from outside are made printable."""
    with Progress(console=Console(file=io.StringIO())) as rich:
        bars = Bars(rich)
        bars.advance(5)  # before any layer: nothing to show them in
        bars.layer("blobs/sha256/0123456789abcdef", 100)
        for _ in range(10):
            bars.advance(10)
        bars.layer("a\x1b[31m/layer.tar", None)
        bars.advance(7)
        bars.layer("last", 1)
        assert [task.description for task in rich.tasks] == [
            "layer 0123456789ab",
            "layer a?[31m",
            "layer last",
        ]
        assert [task.completed for task in rich.tasks] == [100, 7, 0]
