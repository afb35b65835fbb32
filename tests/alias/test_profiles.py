"""Profiles: options under a name, the user's own and those of a project that he trusts."""

import pytest
from desks import Desk

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

PROJECT = """
[profiles.test]
image = "debian-demo"
command = ["sh", "-c", "echo $A $B; ls /w"]
volume = ["./data:/w"]
env = { A = "project" }
"""
OWN = """
[profiles.test]
env = ["A=own"]
hostname = "mine"
[profiles.bare]
env = "B=2"
"""


@pytest.fixture
def settings(desk: Desk) -> Desk:
    """A user with settings, in a project with a file."""
    own = desk.home / ".config" / "rootless" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text(OWN)
    (desk.folder / ".rootless.toml").write_text(PROJECT)
    (desk.folder / "data").mkdir()
    (desk.folder / "data" / "file").touch()
    return desk


@pytest.mark.both_users
def test_once_trusted(settings: Desk) -> None:
    """A project's profile runs after it was trusted, from any folder below, as long as it stays."""
    _, told = settings.sh("rootless run --profile test", status=125)
    assert told == "rootless: no image given (rootless run IMAGE [COMMAND]...)\n"
    _, told = settings.sh("rootless config show >/dev/null")
    assert "left out: the file is not trusted" in told
    settings.sh("rootless config trust")
    assert settings.sh("cd data; rootless run --profile test")[0] == "project\nfile\n"
    words = "rootless run --profile test --profile bare -e A=cli sh -c 'echo $A $B'; "
    assert settings.sh(f"{words} rootless run --profile test hostname")[0] == "cli 2\nmine\n"
    settings.sh("echo >>.rootless.toml")
    assert "changed since" in settings.sh("rootless config check")[0]
    settings.sh("rootless config trust && rootless config untrust")
    assert "not a trusted file" in settings.sh("rootless config untrust", status=125)[1]


def test_show_and_check(settings: Desk) -> None:
    """Each value is shown with its file; a fault is one line with file, table and key."""
    settings.sh("rootless config trust")
    said, _ = settings.sh("rootless config show --origin test")
    own = f"{settings.home}/.config/rootless/config.toml"
    project = f"{settings.folder}/.rootless.toml"
    assert said.splitlines()[0] == "[profiles.test]"
    assert f'env = ["A=project"]  # {project}' in said
    assert f'hostname = "mine"  # {own}' in said
    assert f'volume = ["{settings.folder}/data:/w"]  # {project}' in said
    assert "bare" not in said
    (settings.home / ".config/rootless/config.toml").write_text('additional_stores = ["/s"]\n')
    said, _ = settings.sh("rootless config show --origin")
    assert f'additional_stores = ["/s"]  # {own}\n' in said
    assert settings.sh("rootless config check")[0].count("trusted") == 2
    (settings.folder / ".rootless.toml").write_text("[profiles.a]\numask = '999'\n")
    _, told = settings.sh("rootless config check", status=125)
    where = f"{settings.folder}/.rootless.toml: profiles.a"
    assert told.startswith(f"rootless: wrong setting: {where} (not a file mode mask: 999")
    assert settings.sh("rootless config trust", status=125)[1] == told
    assert "no such profile: nope" in settings.sh("rootless run --profile nope x", status=125)[1]


def test_nothing_is_used_that_is_not_named(settings: Desk) -> None:
    """A run without a profile reads no file of a project, even one with faults."""
    (settings.folder / ".rootless.toml").write_text("[")
    assert settings.sh("rootless run debian-demo echo $A plain")[0] == "plain\n"
