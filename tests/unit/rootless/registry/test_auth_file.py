"""Auth files: containers-auth.json(5)."""

import base64
import json
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from rootless.errors import InvalidInput, Precondition
from rootless.registry.auth_file import (
    auth_file_paths,
    read_auth_file,
    remove_entries,
    write_entry,
)
from rootless.registry.credentials import Credentials


def encoded(text: str) -> str:
    """Return the value of `auth`."""
    return base64.b64encode(text.encode()).decode()


def test_which_files(tmp_path: Path) -> None:
    """One that is named is the only one; else the session's, the user's, and Docker's."""
    home = tmp_path / "home"
    config, docker = home / ".config/containers/auth.json", home / ".docker/config.json"
    assert auth_file_paths({}, home) == (config, docker)
    session = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert auth_file_paths(session, home) == (tmp_path / "containers/auth.json", config, docker)
    assert auth_file_paths({"XDG_RUNTIME_DIR": "/absent"}, home) == (config, docker)
    named = {**session, "REGISTRY_AUTH_FILE": "/a/b.json"}
    assert auth_file_paths(named, home) == (Path("/a/b.json"),)
    assert auth_file_paths(named, home, "/c.json") == (Path("/c.json"),)
    moved = {"XDG_CONFIG_HOME": "/x", "DOCKER_CONFIG": "/y"}
    expected = (Path("/x/containers/auth.json"), Path("/y/config.json"))
    assert auth_file_paths(moved, home) == expected


def test_reading(tmp_path: Path) -> None:
    """Every form of an entry; a colon belongs to the password; an empty entry is none."""
    path = tmp_path / "auth.json"
    document = {
        "auths": {
            "a.test": {"auth": encoded("alice:a:b")},
            "b.test/org": {"username": "bob", "password": "x"},
            "c.test": {"auth": encoded("carol:"), "identitytoken": "t"},
            "d.test": {},
        },
        "credHelpers": {"e.test": "test"},
        "credsStore": "desktop",
    }
    path.write_text(json.dumps(document))
    file = read_auth_file(path)
    assert file is not None
    assert file.entries == {
        "a.test": Credentials("alice", "a:b"),
        "b.test/org": Credentials("bob", "x"),
        "c.test": Credentials("carol", "", "t"),
    }
    assert (file.helpers, file.store) == ({"e.test": "test"}, "desktop")
    assert "alice" not in repr(file)
    assert read_auth_file(tmp_path / "absent.json") is None
    assert read_auth_file(path / "below a file") is None
    (tmp_path / "empty").touch()
    assert read_auth_file(tmp_path / "empty") is None


@pytest.mark.parametrize(
    "text",
    [
        '{"auths": {"a": {"auth": "SECRET',
        '"SECRET"',
        '{"auths": ["SECRET"]}',
        '{"auths": {"a": {"auth": "SECRET$"}}}',
        '{"auths": {"a": {"auth": "' + encoded("SECRET") + '"}}}',
        '{"auths": {"a": {"auth": ["SECRET"]}}}',
    ],
)
def test_faults_show_no_secret(tmp_path: Path, text: str) -> None:
    """A file that cannot be read is named, and none of its contents."""
    path = tmp_path / "auth.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"auth\.json") as error:
        read_auth_file(path)
    assert "SECRET" not in str(error.value)
    assert encoded("SECRET") not in str(error.value)


def test_writing(tmp_path: Path) -> None:
    """An entry is added for nobody else to read; what was there stays, even if it is not known."""
    path = tmp_path / "new/folder/auth.json"
    write_entry(path, "a.test", Credentials("alice", "secret"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    document = json.loads(path.read_text())
    assert document == {"auths": {"a.test": {"auth": encoded("alice:secret")}}}
    path.write_text(json.dumps({**document, "HttpHeaders": {"X": "y"}, "credsStore": ""}))
    path.chmod(0o644)
    write_entry(path, "b.test/org", Credentials("bob", "", "token"))
    written = json.loads(path.read_text())
    assert written["HttpHeaders"] == {"X": "y"}
    assert written["auths"]["a.test"] == document["auths"]["a.test"]
    assert written["auths"]["b.test/org"]["identitytoken"] == "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert remove_entries(path, "a.test".__eq__)
    assert not remove_entries(path, "a.test".__eq__)
    assert list(json.loads(path.read_text())["auths"]) == ["b.test/org"]
    assert os.listdir(path.parent) == ["auth.json"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    """Users keep the file elsewhere: what the link leads to is replaced."""
    real = tmp_path / "dotfiles/auth.json"
    real.parent.mkdir()
    link = tmp_path / "auth.json"
    link.symlink_to(real)
    write_entry(link, "a.test", Credentials("alice", "secret"))
    assert link.is_symlink()
    assert json.loads(real.read_text())["auths"].keys() == {"a.test"}


def _write(path: Path, number: int) -> None:
    write_entry(path, f"host{number}.test", Credentials("alice", "secret"))


def test_several_at_once(tmp_path: Path) -> None:
    """Logins of several processes lose none."""
    path = tmp_path / "auth.json"
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_write, [path] * 24, range(24)))
    assert len(json.loads(path.read_text())["auths"]) == 24


@pytest.mark.needs_user
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The error names the file and the reason."""
    tmp_path.chmod(0o500)
    with pytest.raises(Precondition, match=r"cannot write: Permission .*auth\.json \(--authfile"):
        write_entry(tmp_path / "auth.json", "a.test", Credentials("alice", "secret"))
    tmp_path.chmod(0o700)
    (tmp_path / "auth.json").write_text("{")
    with pytest.raises(InvalidInput, match="not JSON"):
        write_entry(tmp_path / "auth.json", "a.test", Credentials("alice", "secret"))
    assert (tmp_path / "auth.json").read_text() == "{"
