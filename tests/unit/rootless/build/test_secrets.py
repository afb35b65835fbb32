"""--secret and --ssh: where they are, and that nothing shows what they are."""

import os
import socket
from pathlib import Path

import pytest

from rootless.build.secrets import Secret, parse_secrets, parse_ssh
from rootless.errors import InvalidInput, NotFound


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a secret."""
    (tmp_path / "token").write_bytes(b"s3cret\n")
    return tmp_path / "token"


def test_a_file_and_a_variable(path: Path) -> None:
    """Both are read when they are wanted."""
    environ = {"TOKEN": "v\udcff", "other": "x"}
    texts = [f"id=a,src={path}", "id=b,env=TOKEN", "id=other", f"type=file,id=c,source={path}"]
    found = parse_secrets(texts, environ)
    assert found["a"] == Secret("a", str(path))
    assert found["a"].read(environ) == b"s3cret\n"
    assert found["b"].read(environ) == b"v\xff"
    assert found["other"].variable == "other"
    assert found["c"].path == str(path)


def test_a_name_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is no variable is a file's; type=env insists on a variable."""
    monkeypatch.chdir(path.parent)
    assert parse_secrets(["id=token"], {})["token"].path == str(path)
    assert parse_secrets(["id=token,type=env"], {"token": "x"})["token"].variable == "token"
    assert parse_secrets(["id=token,type=file"], {"token": "x"})["token"].path == str(path)


@pytest.mark.parametrize("text", ["", "a", "id=", "id=a,src=b,env=c", "id=a,x=b", "id=a,type=b"])
def test_another_form(text: str) -> None:
    """What is no secret is refused."""
    with pytest.raises(InvalidInput, match="not a secret"):
        parse_secrets([text], {})


def test_what_is_not_there(path: Path) -> None:
    """Before anything is built: a missing file, a folder, a missing variable, one ID twice."""
    for text in (f"id=a,src={path}x", f"id=a,src={path.parent}", "id=a,env=NONE"):
        with pytest.raises(NotFound, match="for a secret"):
            parse_secrets([text], {})
    with pytest.raises(InvalidInput, match="the same id: a"):
        parse_secrets([f"id=a,src={path}"] * 2, {})


def test_what_cannot_be_read(path: Path) -> None:
    """Gone meanwhile, or too large: the error names the file and nothing of it."""
    secret = Secret("a", str(path))
    path.write_bytes(b"x" * (1 << 20) + b"y")
    with pytest.raises(InvalidInput, match="too large"):
        secret.read({})
    path.unlink()
    with pytest.raises(NotFound, match="No such file"):
        secret.read({})
    path.mkdir()
    with pytest.raises(InvalidInput, match="must be a file"):
        secret.read({})


def test_agents(tmp_path: Path) -> None:
    """The caller's agent, or a socket that is named; a key is no agent."""
    path = str(tmp_path / "agent")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        assert parse_ssh(["default"], {"SSH_AUTH_SOCK": path}) == {"default": path}
        assert parse_ssh([f"k={path}"], {}) == {"k": path}
    with pytest.raises(NotFound, match="no agent"):
        parse_ssh(["default"], {})
    with pytest.raises(NotFound, match="no socket"):
        parse_ssh([f"k={path}x"], {})
    os.unlink(path)
    Path(path).touch()
    with pytest.raises(InvalidInput, match="ssh-add"):
        parse_ssh([f"k={path}"], {})
