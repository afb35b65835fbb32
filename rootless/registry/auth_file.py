"""The files that keep credentials: containers-auth.json(5), the format of Docker's config.json.

Which are read, in order: the one that the user names (`--authfile`, $REGISTRY_AUTH_FILE), and then
no other; else $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json, and
~/.docker/config.json ($DOCKER_CONFIG). A login writes the first; what it does not understand in it,
it leaves as it is.
"""

import base64
import binascii
import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rootless.errors import InvalidInput, Precondition
from rootless.oci.document import Node, parse_document
from rootless.registry.credentials import Credentials
from rootless.replace_file import replace_file

_MAX_BYTES = 4 << 20
_FIX = "mend or remove the file, then log in again"


@dataclass(frozen=True, slots=True)
class AuthFile:
    """What one file says.

    Attributes:
        path: Where it lies.
        entries: Credentials by their keys: `HOST`, `HOST/NAMESPACE`, or Docker's URL of a host.
        helpers: Names of helper programs by registry.
        store: Name of the helper program for all registries, or "".
    """

    path: Path
    entries: Mapping[str, Credentials]
    helpers: Mapping[str, str]
    store: str = ""


def auth_file_paths(environ: Mapping[str, str], home: Path, given: str = "") -> tuple[Path, ...]:
    """Return the files in the order in which they are asked; a login writes the first."""
    named = given or environ.get("REGISTRY_AUTH_FILE", "")
    if named:
        return (Path(named).expanduser(),)
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    docker = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    found = [config / "containers/auth.json", docker / "config.json"]
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.access(runtime, os.W_OK | os.X_OK):  # batch jobs have no login session
        found.insert(0, Path(runtime, "containers/auth.json"))
    return tuple(found)


def read_auth_file(path: Path) -> AuthFile | None:
    """Read a file; None where there is none. Raises InvalidInput without any of its contents."""
    data = _read(path)
    if not data:
        return None
    node = _parsed(data, path)
    return AuthFile(
        path=path,
        entries={
            key: credentials
            for key in node.member("auths").keys_of()
            if (credentials := _credentials(node.member("auths").require(key), path)) is not None
        },
        helpers=node.mapping("credHelpers"),
        store=node.text("credsStore"),
    )


def write_entry(path: Path, key: str, credentials: Credentials) -> None:
    """Keep credentials under a key, for nobody but the user to read."""
    pair = f"{credentials.username}:{credentials.password}".encode()
    entry = {"auth": base64.b64encode(pair).decode()}
    if credentials.identity_token:
        entry["identitytoken"] = credentials.identity_token

    def change(auths: dict[str, Any]) -> bool:
        auths[key] = entry
        return True

    _change(path, change)


def remove_entries(path: Path, is_meant: Callable[[str], bool]) -> bool:
    """Take out the entries whose keys are meant; return whether there were any."""
    if not path.exists():
        return False

    def change(auths: dict[str, Any]) -> bool:
        gone = [key for key in auths if is_meant(key)]
        for key in gone:
            del auths[key]
        return bool(gone)

    return _change(path, change)


def _credentials(node: Node, path: Path) -> Credentials | None:
    """Read one entry; an empty one says that a helper has them."""
    token = node.text("identitytoken")
    username, password = node.text("username"), node.text("password")
    pair = node.text("auth")
    if pair:
        try:
            text = base64.b64decode(pair, validate=True).decode().rstrip("\0")
        except (binascii.Error, UnicodeDecodeError):
            what = "credentials cannot be read"
            raise InvalidInput(what, f"{path}: {node.path}", _FIX) from None
        username, colon, password = text.partition(":")
        if not colon:
            raise InvalidInput("credentials hold no password", f"{path}: {node.path}", _FIX)
    if not (username or token):
        return None
    return Credentials(username, password, token)


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise InvalidInput(f"cannot read: {error.strerror}", os.fspath(path)) from error


def _parsed(data: bytes, path: Path) -> Node:
    try:
        node = parse_document(data, os.fspath(path), limit=_MAX_BYTES)
    except InvalidInput:  # its text would show a part of the file
        raise InvalidInput("not JSON", os.fspath(path), _FIX) from None
    if not isinstance(node.value, dict):
        raise InvalidInput("not a JSON object", os.fspath(path), _FIX)
    return node


def _change(path: Path, change: Callable[[dict[str, Any]], bool]) -> bool:
    """Let the entries be changed and write the file anew; return what *change* returns."""
    real = Path(os.path.realpath(path))  # a symbolic link stays one
    try:
        os.makedirs(real.parent, mode=0o700, exist_ok=True)
        with _locked(real.parent):
            data = _read(real)
            document = _parsed(data, path).value if data else {}
            auths = document.setdefault("auths", {})
            if not isinstance(auths, dict):
                raise InvalidInput("auths is not an object", os.fspath(path), _FIX)
            if not change(auths):
                return False
            replace_file(real, json.dumps(document, indent="\t").encode() + b"\n")
            return True
    except OSError as error:
        fix = "--authfile names another file"
        raise Precondition(f"cannot write: {error.strerror}", os.fspath(path), fix) from error


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep two logins from losing one's entry; a file system without locks goes without."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
