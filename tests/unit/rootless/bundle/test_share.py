"""`rootless.bundle.share`: what of the caller's is seen inside."""

from pathlib import Path

import pytest

from rootless.bundle import share
from rootless.bundle.caller import HostUser
from rootless.errors import InvalidInput


def user(home: Path | str) -> HostUser:
    """Return a caller with this home."""
    return HostUser(1000, 1000, "ann", "ann", str(home))


def destinations(kinds: str, home: Path, cwd: Path | str, **environ: str) -> dict[str, str]:
    """Return the mounts' types by destination."""
    found = share.mounts(share.parse([kinds]), user(home), str(cwd), environ)
    return {mount.destination: mount.type for mount in found}


def test_words() -> None:
    """Nothing named is what is usual; `none` is nothing, and stands alone."""
    assert share.parse([]) == share.USUAL
    assert share.parse(["none"]) == ()
    assert share.parse(["cwd,home", "cwd"]) == ("cwd", "home")
    for wrong in (["homes"], ["none,cwd"], [""], ["cwd", "none"]):
        with pytest.raises(InvalidInput, match="nothing of that name can be shared"):
            share.parse(wrong)


def test_a_folder_below_a_shared_one_is_not_bound_again(tmp_path: Path) -> None:
    """The current folder comes along with the home; elsewhere it is bound itself."""
    home, inside, outside = tmp_path / "home", tmp_path / "home" / "w", tmp_path / "home2"
    for folder in (home, inside, outside):
        folder.mkdir()
    assert destinations("home,cwd", home, inside) == {str(home): "bind"}
    assert destinations("home,cwd", home, outside) == {str(home): "bind", str(outside): "bind"}


def test_a_home_that_is_not_shared_is_empty(tmp_path: Path) -> None:
    """It is there all the same, in memory, and the current folder lies in it."""
    home, cwd = tmp_path / "home", tmp_path / "home" / "w"
    cwd.mkdir(parents=True)
    assert destinations("cwd", home, cwd) == {str(cwd): "bind", str(home): "tmpfs"}
    assert destinations("none", home, cwd) == {str(home): "tmpfs"}


def test_a_home_behind_a_link_is_seen_by_both_names(tmp_path: Path) -> None:
    """$HOME may be a link; what getcwd(2) says must be there as well."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to("real")
    assert set(destinations("home", link, "/")) == {str(link), str(tmp_path / "real")}


@pytest.mark.parametrize(
    "path", ["/", "/etc", "/usr/lib", "/proc/1", "/run/user/1000", "/var", "/opt", "/home"]
)
def test_the_image_keeps_its_system(path: str, tmp_path: Path) -> None:
    """A folder of the host's system is not put over the image's."""
    assert not share.may_be_bound(path)
    assert destinations("cwd", tmp_path, path) == {str(tmp_path): "tmpfs"}


def test_on_request(tmp_path: Path) -> None:
    """The agent's socket and git's files are bound where they are, and only if they are there."""
    socket = tmp_path / "agent"
    git = tmp_path / ".gitconfig"
    kinds = "ssh-agent,git-config"
    assert destinations(kinds, tmp_path, "/") == {str(tmp_path): "tmpfs"}
    assert destinations(kinds, tmp_path, "/", SSH_AUTH_SOCK=str(socket)) == {str(tmp_path): "tmpfs"}
    socket.touch()
    git.touch()
    found = destinations(kinds, tmp_path, "/", SSH_AUTH_SOCK=str(socket))
    assert found == {str(tmp_path): "tmpfs", str(socket): "bind", str(git): "bind"}
    binds = share.mounts(("git-config",), user(tmp_path), "/", {})
    assert "ro" in next(m for m in binds if m.destination == str(git)).options


def test_the_temporary_folder(tmp_path: Path) -> None:
    """/tmp comes along, and what $TMPDIR names."""
    found = destinations("tmp", Path("/nowhere"), "/", TMPDIR=str(tmp_path))
    assert found["/tmp"] == "bind"
    assert str(tmp_path) in found or str(tmp_path).startswith("/tmp/")
