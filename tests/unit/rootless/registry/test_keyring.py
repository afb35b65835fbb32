"""Where credentials are found, kept and dropped."""

import base64
import json
from pathlib import Path

import pytest

from rootless.errors import InvalidInput
from rootless.registry.credentials import Credentials
from rootless.registry.keyring import Keyring, login_key


def file(path: Path, *, helpers: dict[str, str] | None = None, **names: str) -> Path:
    """Write an auth file with a user for each name, `__` for a slash and `_` for a dot."""
    auths = {}
    for name, user in names.items():
        key = name.replace("__", "/").replace("_", ".")
        auths[key] = {"auth": base64.b64encode(f"{user}:x".encode()).decode()}
    path.write_text(json.dumps({"auths": auths, "credHelpers": helpers or {}}))
    return path


def user(keyring: Keyring, name: str) -> str | None:
    """Return as whom one is logged in."""
    found = keyring.find(name)
    return None if found is None else found.username


def test_the_longest_key(tmp_path: Path) -> None:
    """A repository's own entry, then each namespace above it, then the host."""
    path = file(tmp_path / "a", q_io="host", q_io__org="org", q_io__org__app="app")
    keyring = Keyring((path,))
    assert [user(keyring, f"q.io{rest}") for rest in ("/org/app", "/org/x", "/other/x", "")] == [
        *("app", "org", "host", "host")
    ]
    assert user(keyring, "other.io/org/app") is None
    assert user(keyring, "q.io.evil.test/org") is None


def test_the_first_file(tmp_path: Path) -> None:
    """Files are asked in order; one that is not there is passed over."""
    first, second = file(tmp_path / "1", a_io="first"), file(tmp_path / "2", a_io="2", b_io="b")
    keyring = Keyring((tmp_path / "absent", first, second))
    assert user(keyring, "a.io/x") == "first"
    assert user(keyring, "b.io/x") == "b"


def test_spellings_of_docker(tmp_path: Path) -> None:
    """Docker's URLs of a host, and of Docker Hub, are keys too."""
    path = tmp_path / "config.json"
    entry = {"auth": base64.b64encode(b"alice:x").decode()}
    for key, name in (
        ("https://index.docker.io/v1/", "docker.io/library/debian"),
        ("docker.io", "docker.io/library/debian"),
        ("https://a.test", "a.test/x"),
        ("https://a.test/v2/", "a.test/x"),
        ("http://a.test:5000/", "a.test:5000/x"),
    ):
        path.write_text(json.dumps({"auths": {key: entry}}))
        assert user(Keyring((path,)), name) == "alice", key
        assert Keyring((path,)).drop(login_key(name.partition("/")[0]))
        assert json.loads(path.read_text())["auths"] == {}


def test_helpers(tmp_path: Path, helper: Path) -> None:
    """A helper of a registry keeps and drops its credentials; the file never has them."""
    path = file(tmp_path / "auth", helpers={"h.io": "test"}, h_io="in the file", o_io="other")
    keyring = Keyring((path,))
    assert user(keyring, "h.io/x") is None
    where = keyring.keep("h.io", Credentials("alice", "secret"))
    assert where == "docker-credential-test"
    assert user(keyring, "h.io/x") == "alice"
    assert "secret" not in path.read_text()
    assert user(keyring, "o.io") == "other"
    assert keyring.drop("h.io")
    assert user(keyring, "h.io/x") is None


def test_a_store_for_everything(tmp_path: Path, helper: Path) -> None:
    """`credsStore` gets all logins; Docker Hub under Docker's name."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"credsStore": "test"}))
    keyring = Keyring((path,))
    keyring.keep("docker.io", Credentials("alice", "secret"))
    assert list(json.loads(helper.read_text())) == ["https://index.docker.io/v1/"]
    assert user(keyring, "docker.io/library/debian") == "alice"
    assert keyring.drop("docker.io")
    assert user(keyring, "docker.io/library/debian") is None


def test_helpers_of_registries_conf(tmp_path: Path, helper: Path) -> None:
    """They are asked before the files, and get the logins."""
    path = file(tmp_path / "auth", a_io="in the file")
    keyring = Keyring((path,), ("containers-auth.json", "test"))
    assert user(keyring, "a.io/x") == "in the file"
    keyring.keep("b.io", Credentials("bob", "secret"))
    assert list(json.loads(helper.read_text())) == ["b.io"]
    assert user(keyring, "b.io/x") == "bob"


def test_what_is_given(tmp_path: Path) -> None:
    """Credentials of the command line count for their host alone."""
    path = file(tmp_path / "auth", a_io="kept", b_io="kept")
    keyring = Keyring((path,), given={"a.io": Credentials("given", "x")})
    assert user(keyring, "a.io/x") == "given"
    assert user(keyring, "b.io/x") == "kept"


def test_dropping(tmp_path: Path, helper: Path) -> None:
    """One entry or all, of the file that logins write and no other."""
    first, second = file(tmp_path / "1", a_io="a", b_io="b"), file(tmp_path / "2", c_io="c")
    keyring = Keyring((first, second))
    assert keyring.drop("a.io")
    assert not keyring.drop("a.io")
    assert not keyring.drop("c.io")
    assert keyring.drop_all()
    assert not keyring.drop_all()
    assert user(keyring, "c.io") == "c"
    assert not Keyring((tmp_path / "absent",)).drop("a.io")
    assert not Keyring((tmp_path / "absent",)).drop_all()
    assert not (tmp_path / "absent").exists()


def test_keys_of_logins() -> None:
    """What users call a registry, URLs included, is one key."""
    for text, key in (
        ("quay.io", "quay.io"),
        ("quay.io/org/", "quay.io/org"),
        ("https://a.test:5000/", "a.test:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
    ):
        assert login_key(text) == key
    for text in ("", "/", "user@host", "a b", "https://"):
        with pytest.raises(InvalidInput, match="not a registry"):
            login_key(text)
