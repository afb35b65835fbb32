"""`rootless login` and `logout`, against real registries."""

import base64
import json
import os
import pty
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from executable import Result, Rootless
from registries import RegistryServer, certs_d, registry

PLAIN = "--tls-verify=false"


@pytest.fixture(scope="module", params=["htpasswd", "token"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RegistryServer]:
    """A registry with a user, basic authentication or tokens, over TLS."""
    folder = tmp_path_factory.mktemp("registry") / "r"
    with registry(folder, auth=request.param, tls=True) as server:
        yield server


@pytest.fixture
def trusting(rootless: Rootless, server: RegistryServer) -> Rootless:
    """A user who trusts the registry's CA."""
    folder = Path(rootless.home.environ["HOME"]) / ".config/containers/certs.d"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(certs_d(server))
    return rootless


def auth_file(rootless: Rootless) -> Path:
    """Return the file that a login writes."""
    return Path(rootless.home.environ["XDG_RUNTIME_DIR"]) / "containers/auth.json"


def test_in_and_out(trusting: Rootless, server: RegistryServer) -> None:
    """Good credentials are kept for nobody else to read, podman's way, and forgotten again."""
    said = trusting.ok(
        "login", "-u", server.user, "--password-stdin", server.host, stdin="open sesame\n"
    )
    assert said == "Login Succeeded!\n"
    file = auth_file(trusting)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    pair = base64.b64encode(b"alice:open sesame").decode()
    assert json.loads(file.read_text()) == {"auths": {server.host: {"auth": pair}}}
    assert trusting.ok("login", "--get-login", server.host) == "alice\n"
    assert trusting.ok("login", server.host) == f"Already logged in to {server.host}\n"
    skopeo = subprocess.run(
        ["skopeo", "login", "--get-login", "--authfile", file, server.host],
        capture_output=True,
        text=True,
        env=dict(trusting.home.environ),
        check=False,
    )
    assert skopeo.stdout == "alice\n", skopeo.stderr
    said = trusting.ok("logout", server.host)
    assert said == f"Removed login credentials for {server.host}\n"
    assert json.loads(file.read_text()) == {"auths": {}}
    for words in (["logout", server.host], ["login", "--get-login", server.host]):
        result = trusting(*words)
        assert (result.status, result.stdout) == (125, "")
        assert result.stderr.startswith(f"rootless: not logged in: {server.host}")


def test_wrong_passwords(trusting: Rootless, server: RegistryServer) -> None:
    """They are refused in one line that does not show them, and not kept."""
    result = trusting("login", "-u", "alice", "-p", "wrong-secret", server.host)
    assert result.status == 125
    assert "registry refuses the user name or password" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    debugged = Rootless(trusting.home, ("--debug",))(
        "login", "-u", "alice", "--password-stdin", server.host, stdin="wrong-secret"
    )
    assert debugged.status == 125
    assert "wrong-secret" not in result.stderr + debugged.stderr
    assert base64.b64encode(b"alice:wrong-secret").decode() not in debugged.stderr
    assert not auth_file(trusting).exists()


def test_a_log_shows_no_secret(trusting: Rootless, server: RegistryServer) -> None:
    """With --debug neither the password nor a token is written."""
    debugging = Rootless(trusting.home, ("--debug",))
    result = debugging("login", "-u", "alice", "-p", server.password, server.host)
    assert result.status == 0
    assert server.password not in result.stderr
    assert "Bearer ey" not in result.stderr
    assert "Basic " not in result.stderr


def on_terminal(rootless: Rootless, words: list[str], answers: list[str]) -> Result:
    """Run it on a terminal, type each answer when it asks; the terminal's text is stderr."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(rootless.executable, rootless.command(*words), dict(rootless.home.environ))
    shown = b""
    deadline = time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            shown += os.read(fd, 1 << 16)
            if answers and shown.rstrip(b" ").endswith(b":"):
                os.write(fd, answers.pop(0).encode() + b"\n")
    except OSError:  # EIO: it has ended
        pass
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return Result(os.waitstatus_to_exitcode(status), "", shown.decode())


def test_a_terminal_is_asked(trusting: Rootless, server: RegistryServer) -> None:
    """For name and password, the latter without an echo."""
    result = on_terminal(trusting, ["login", server.host], ["alice", server.password])
    assert result.status == 0, result.stderr
    assert "alice" in result.stderr
    assert server.password not in result.stderr
    assert "Login Succeeded!" in result.stderr
    result = on_terminal(trusting, ["login", "-u", "alice", server.host], ["wrong"])
    assert result.status == 125
    assert trusting.ok("login", "--get-login", server.host) == "alice\n"


def test_nobody_to_ask(rootless: Rootless) -> None:
    """Without a terminal the missing option is named; so is an empty standard input."""
    result = rootless("login", "a.test")
    assert result.status == 125
    assert "credentials are missing: a.test (give --username NAME" in result.stderr
    result = rootless("login", "-u", "alice", "a.test")
    assert "give --password-stdin" in result.stderr
    result = rootless("login", "-u", "alice", "--password-stdin", "a.test")
    assert "no password on standard input" in result.stderr
    result = rootless("login", "-u", "alice", "-p", "x", "--password-stdin", "a.test")
    assert "exclude each other" in result.stderr
    result = rootless("login", "-u", "alice", "-p", "x", "not a host")
    assert "not a registry: not a host" in result.stderr


def test_files_and_keys(rootless: Rootless, basic_registry: RegistryServer, tmp_path: Path) -> None:
    """--authfile, $REGISTRY_AUTH_FILE and namespaces; without a session, the user's own folder."""
    host = basic_registry.host
    words = ("login", PLAIN, "-u", "alice", "-p", basic_registry.password)
    rootless.ok(*words, "--authfile", tmp_path / "mine.json", f"{host}/org")
    assert list(json.loads((tmp_path / "mine.json").read_text())["auths"]) == [f"{host}/org"]
    environ = {"REGISTRY_AUTH_FILE": str(tmp_path / "mine.json")}
    assert rootless.ok("login", "--get-login", f"{host}/org", env=environ) == "alice\n"
    assert rootless("login", "--get-login", host, env=environ).status == 125
    rootless.ok(*words, host, env={"XDG_RUNTIME_DIR": ""})
    file = Path(rootless.home.environ["HOME"]) / ".config/containers/auth.json"
    assert list(json.loads(file.read_text())["auths"]) == [host]
    result = rootless("logout", host)  # another file than the one that logins write now
    assert "another tool has logged in" in result.stderr
    said = rootless.ok("logout", "--all", env=environ)
    assert said == "Removed login credentials for all registries\n"
    assert json.loads((tmp_path / "mine.json").read_text()) == {"auths": {}}


def test_a_registry_that_is_not_there(rootless: Rootless) -> None:
    """The reason is said, and nothing is kept."""
    result = rootless("login", "-u", "alice", "-p", "x", "127.0.0.1:1")
    assert result.status == 125
    assert "cannot connect to the registry: Connection refused: 127.0.0.1:1" in result.stderr
    assert not auth_file(rootless).exists()
