"""`rootless.settings`: what config.toml may say, and whose word counts."""

from pathlib import Path

import pytest

from rootless.errors import InvalidInput, StoreError
from rootless.paths import Paths
from rootless.settings import Settings, additional_stores, load


def written(path: Path, text: str) -> Path:
    """Write a file of settings."""
    path.write_text(text)
    return path


def test_no_file_says_nothing(tmp_path: Path) -> None:
    """Files that are not there, and an empty one, leave every setting alone."""
    (tmp_path / "file").touch()
    files = (tmp_path / "none", tmp_path / "file" / "config.toml", tmp_path / "file")
    assert load(files) == Settings()


def test_the_nearer_file_is_asked_first(tmp_path: Path) -> None:
    """What the user's file says stands in place of what the machine's says."""
    own = written(tmp_path / "own", 'additional_stores = ["/a", "/b"]')
    machine = written(tmp_path / "machine", 'additional_stores = ["/c"]')
    assert load((own, machine)).additional_stores == (Path("/a"), Path("/b"))
    assert load((tmp_path / "none", machine)).additional_stores == (Path("/c"),)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("additional_stores = [", "the settings are not TOML"),
        ('additional_stores = "/a"', "config.toml: additional_stores (it must be an array"),
        ('additional_stores = ["/a", "b"]', "additional_stores[1] (it must be an absolute path)"),
        ("additional_stores = [1]", "additional_stores[0] (it must be an absolute path)"),
        ("#" * (1 << 20) + "\n", "the settings are larger than a megabyte"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, fault: str) -> None:
    """A value of another kind is refused by the file's name and the path in it."""
    with pytest.raises(InvalidInput) as error:
        load((written(tmp_path / "config.toml", text),))
    assert fault in str(error.value)


def test_not_text(tmp_path: Path) -> None:
    """A file that is no UTF-8, and one that cannot be read, are refused by name."""
    (tmp_path / "config.toml").write_bytes(b"\xff")
    with pytest.raises(InvalidInput, match=r"not TOML: .*config\.toml"):
        load((tmp_path / "config.toml",))
    with pytest.raises(StoreError, match="cannot read the settings"):
        load((tmp_path,))


def test_an_unknown_setting_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A setting of a newer version is passed over with a line: a home may be shared."""
    file = written(tmp_path / "config.toml", 'additional_stores = ["/a"]\nnew = 1')
    assert load((file,)).additional_stores == (Path("/a"),)
    assert "no setting is called new" in caplog.text


def test_the_environment_stands_above_the_files(tmp_path: Path) -> None:
    """A variable that is set counts, even when it is empty; else the files do."""
    file = written(tmp_path / "config.toml", 'additional_stores = ["/a"]')

    def asked(stores: tuple[Path, ...] | None) -> tuple[Path, ...]:
        return additional_stores(Paths(tmp_path, tmp_path, tmp_path, (file,), stores))

    assert asked(None) == (Path("/a"),)
    assert asked(()) == ()
    assert asked((Path("/b"),)) == (Path("/b"),)
