"""`rootless.build.named_contexts`: what --build-context says."""

from contextlib import closing
from pathlib import Path

import pytest

from rootless.build.named_contexts import named_contexts
from rootless.errors import InvalidInput


def test_a_folder_and_an_image(tmp_path: Path) -> None:
    """By name, in any case; a folder is read without what its ignore file names."""
    (tmp_path / ".dockerignore").write_text("b\n")
    for name in ("a", "b"):
        (tmp_path / name).touch()
    found = named_contexts([f"Assets={tmp_path}", "debian=docker-image://mirror.example/d:1"])
    assert found.folder("assets") == str(tmp_path)
    assert found.image("debian") == "mirror.example/d:1"
    assert (found.folder("debian"), found.image("other")) == ("", "other")
    with closing(found):
        source = found.source("assets")
        assert source is found.source("assets")
        assert source.ignore.matches(b"b")
        assert not source.ignore.matches(b"a")


@pytest.mark.parametrize("word", ["a", "=b", "a=", "a=/no/such/folder", "a=https://x.example/"])
def test_what_is_none(word: str) -> None:
    """Neither a folder nor an image."""
    with pytest.raises(InvalidInput, match="build context"):
        named_contexts([word])
