"""Folders of the caller's that come along."""

from pathlib import Path

from rootless.bundle import own_folders


def test_a_folder_comes_by_its_own_name(tmp_path: Path) -> None:
    """Source and destination are the same."""
    (mount,) = own_folders.mounts([str(tmp_path)])
    assert (mount.destination, mount.source, mount.type) == (str(tmp_path), str(tmp_path), "bind")
    assert "rslave" in mount.options


def test_what_lies_below_another_comes_with_it(tmp_path: Path) -> None:
    """One mount for both, whichever is named first, however often."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    names = [str(below), str(tmp_path), f"{below}/", str(tmp_path / "ab")]
    (tmp_path / "ab").mkdir()
    assert own_folders.chosen(names) == (str(tmp_path),)


def test_a_link_brings_what_it_leads_to(tmp_path: Path) -> None:
    """Both names hold inside."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    assert own_folders.chosen([str(link)]) == (str(link), str(real))


def test_what_is_the_image_s_stays_so() -> None:
    """Neither folders of the system, nor what holds one, nor what is none."""
    names = ["/", "/usr", "/usr/local", "/etc", "/run", "/var", "//usr", "/usr/../etc", "rel", ""]
    assert own_folders.chosen([*names, "/no/such/folder", "/etc/passwd"]) == ()


def test_holds() -> None:
    """A folder holds itself and what is below it, by whole names."""
    assert own_folders.holds(["/a/b"], "/a/b")
    assert own_folders.holds(["/a/b"], "/a/b/c")
    assert not own_folders.holds(["/a/b"], "/a/bc")
