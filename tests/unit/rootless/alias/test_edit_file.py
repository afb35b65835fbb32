"""`rootless.alias.edit_file`: changes that leave the rest of a file alone."""

from pathlib import Path

import pytest

from rootless.alias import edit_file
from rootless.alias.definition import Alias, read
from rootless.config.option_values import FLAG, TEXTS
from rootless.errors import InvalidInput, StoreError

OPTIONS = {"native": FLAG, "env": TEXTS, "read-only": FLAG}
PLAIN = Alias("a", "image:1", ("a",), {"native": True})
RICH = Alias("b.c", "i", ("x", "y"), {"env": ("A=1",), "read-only": True}, "eval")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """An alias comes back as it was, in a file that is made with its folder."""
    file = tmp_path / "deep" / "aliases.toml"
    edit_file.add(file, PLAIN)
    edit_file.add(file, RICH)
    assert read(file, OPTIONS) == {"a": PLAIN, "b.c": RICH}
    edit_file.remove(file, ["a", "none"])
    assert read(file, OPTIONS) == {"b.c": RICH}


def test_the_rest_stays(tmp_path: Path) -> None:
    """Comments, order and other tables stay, as do the file's mode and a link to it."""
    real = tmp_path / "real.toml"
    file = tmp_path / "aliases.toml"
    file.symlink_to(real)
    real.write_text('# of the team\n[aliases.z]\nimage = "z" # why\n\n[aliases.a]\nimage = "old"\n')
    real.chmod(0o600)
    written = edit_file.set_images(file, {"z": "z@sha256:1", "gone": "g"})
    assert written == file.read_bytes()
    edit_file.add(file, PLAIN)
    text = file.read_text()
    assert text.startswith('# of the team\n[aliases.z]\nimage = "z@sha256:1" # why\n')
    assert read(file, OPTIONS)["a"] == PLAIN
    assert file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["aliases.toml", "real.toml"]


def test_what_cannot_be_changed(tmp_path: Path) -> None:
    """A file with faults is left alone, and one that cannot be written is told."""
    file = tmp_path / "aliases.toml"
    for text in ("[", "aliases = 3"):
        file.write_text(text)
        with pytest.raises(InvalidInput, match=r"aliases\.toml"):
            edit_file.add(file, PLAIN)
        assert file.read_text() == text
    with pytest.raises(StoreError, match="cannot write the aliases"):
        edit_file.add(Path("/proc/none/aliases.toml"), PLAIN)
