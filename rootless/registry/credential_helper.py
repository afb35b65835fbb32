"""Programs that keep credentials: `docker-credential-NAME get|store|erase`.

Protocol: docker-credential-helpers' README. The registry goes to the program's standard input, the
answer is JSON; a user name of `<token>` says that the secret is an identity token.
"""

import json
import re
import subprocess

from rootless.errors import InvalidInput, Precondition
from rootless.oci.document import parse_document
from rootless.registry.credentials import Credentials

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TIMEOUT_S = 60.0  # it may ask the user to unlock something
_TOKEN_USER = "<token>"  # noqa: S105 - the protocol's mark of a token
# How programs say that they do not have it; there is no status of its own.
_ABSENT = ("credentials not found", "no credentials", "not found in")


def ask_helper(name: str, registry: str) -> Credentials | None:
    """Return what a helper has for a registry, None for nothing; raises where it fails."""
    done = _run(name, "get", registry)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).lower()
        if any(text in said for text in _ABSENT):
            return None
        raise _failure(name, "get", registry, done)
    try:
        node = parse_document(done.stdout.encode(), name)
        username, secret = node.text("Username"), node.text("Secret")
    except InvalidInput:  # its text would show a part of the answer
        raise InvalidInput("answer is not valid", f"{_program(name)} get") from None
    if not secret:
        return None
    if username == _TOKEN_USER:
        return Credentials("", identity_token=secret)
    return Credentials(username, secret)


def store_in_helper(name: str, registry: str, credentials: Credentials) -> None:
    """Hand credentials to a helper."""
    username, secret = credentials.username, credentials.password
    if credentials.identity_token:
        username, secret = _TOKEN_USER, credentials.identity_token
    request = {"ServerURL": registry, "Username": username, "Secret": secret}
    done = _run(name, "store", json.dumps(request))
    if done.returncode != 0:
        raise _failure(name, "store", registry, done, secret)


def erase_in_helper(name: str, registry: str) -> bool:
    """Let a helper forget a registry; return whether it knew it."""
    if ask_helper(name, registry) is None:
        return False
    done = _run(name, "erase", registry)
    if done.returncode != 0:
        raise _failure(name, "erase", registry, done)
    return True


def _program(name: str) -> str:
    if not _NAME.fullmatch(name):  # it comes out of a file and becomes a program's name
        raise InvalidInput("not the name of a credential helper", repr(name))
    return f"docker-credential-{name}"


def _run(name: str, verb: str, text: str) -> "subprocess.CompletedProcess[str]":
    program = _program(name)
    try:
        return subprocess.run(
            [program, verb],
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        fix = "an auth file names this credential helper; install it or take its name out"
        raise Precondition("program is missing", program, fix) from None
    except OSError as error:
        raise Precondition(f"cannot run: {error.strerror}", program) from error
    except subprocess.TimeoutExpired:
        raise Precondition("credential helper does not answer", program) from None


def _failure(
    name: str,
    verb: str,
    registry: str,
    done: "subprocess.CompletedProcess[str]",
    secret: str = "",
) -> InvalidInput:
    """Return an error with the program's own first line, cleared of the secret."""
    lines = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"]
    said = lines[0][:200]
    if verb == "get":  # what is on its standard output may be half a secret
        said = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[0][:200]
    if secret:
        said = said.replace(secret, "***")
    return InvalidInput("credential helper fails", f"{_program(name)} {verb} {registry}: {said}")
