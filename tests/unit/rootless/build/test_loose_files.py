"""`rootless.build.loose_files`: a file that lies in no folder."""

from rootless.build.copy_source import MADE_NOW
from rootless.build.loose_files import LooseFile


def test_a_here_document() -> None:
    """It is one file, of the time at which it is copied."""
    file = LooseFile.of_text("EOF", "hé\n")
    node = file.picked.node
    assert (file.picked.name, node.size, node.mtime_ns) == (b"EOF", 4, MADE_NOW)
    assert file.lookup(b"EOF") == node
    assert file.lookup(b"other") is None
    assert file.children(node) == []
    with file.open(node) as contents:
        assert b"".join(contents.chunks()) == "hé\n".encode()
