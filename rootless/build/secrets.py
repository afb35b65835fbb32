"""`--secret` and `--ssh`: what a RUN may see and no layer has; never kept, never told."""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rootless.errors import InvalidInput, NotFound

_MOST_BYTES = 1 << 20
_FORM = "id=NAME,src=FILE or id=NAME,env=VARIABLE"


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is.

    Attributes:
        id: What a RUN calls it.
        path: Its file; "" for a variable.
        variable: The variable that holds it; "" for a file.
    """

    id: str
    path: str = ""
    variable: str = ""

    def read(self, environ: Mapping[str, str]) -> bytes:
        """Return it; raises NotFound, InvalidInput: neither tells what is in it."""
        if self.variable:
            return os.fsencode(environ[self.variable])
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise NotFound(f"cannot read the secret: {error.strerror}", self.path) from error
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            os.close(fd)
            raise InvalidInput("a secret must be a file", self.path)
        with open(fd, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise InvalidInput("too large for a secret", self.path, f"at most {_MOST_BYTES} bytes")
        return data


def parse_secrets(texts: Sequence[str], environ: Mapping[str, str]) -> dict[str, Secret]:
    """Return the secrets of `--secret`, by their IDs.

    Args:
        texts: id=NAME[,src=FILE|env=VARIABLE] each; without, the variable of that name, or else
            the file.
        environ: The caller's variables.

    Raises:
        InvalidInput: One has another form.
        NotFound: There is no such file or variable.
    """
    found = {}
    for text in texts:
        secret = _secret(text, environ)
        if secret.id in found:
            raise InvalidInput("two secrets have the same id", secret.id)
        found[secret.id] = secret
    return found


def _secret(text: str, environ: Mapping[str, str]) -> Secret:
    values: dict[str, str] = {}
    for item in filter(None, text.split(",")):
        name, equals, value = item.partition("=")
        name = {"source": "src"}.get(name, name)
        if name not in ("id", "src", "env", "type") or not equals or not value:
            raise InvalidInput("not a secret", text, _FORM)
        values[name] = value
    name, path, variable = (values.get(each, "") for each in ("id", "src", "env"))
    kind = values.get("type", "")
    if not name or (path and variable) or kind not in ("", "file", "env"):
        raise InvalidInput("not a secret", text, _FORM)
    if kind == "env" or (not path and not variable and kind != "file" and name in environ):
        variable, path = variable or path or name, ""
    if variable:
        if variable not in environ:
            raise NotFound("no such variable for a secret", variable)
        return Secret(name, variable=variable)
    path = os.path.abspath(os.path.expanduser(path or name))
    if not os.path.isfile(path):
        raise NotFound("no such file for a secret", path)
    return Secret(name, path)


def parse_ssh(texts: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the sockets of `--ssh`, by their IDs.

    Args:
        texts: default or ID, each with =SOCKET where that is not the agent's.
        environ: The caller's variables.

    Raises:
        InvalidInput: It is no socket.
        NotFound: There is none.
    """
    found = {}
    for text in texts:
        name, _, path = text.partition("=")
        path = path or environ.get("SSH_AUTH_SOCK", "")
        if not path:
            raise NotFound("no agent for --ssh", text, "start ssh-agent, or say ID=SOCKET")
        path = os.path.abspath(os.path.expanduser(path))
        try:
            is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
        except OSError as error:
            raise NotFound(f"no socket for --ssh: {error.strerror}", path) from error
        if not is_socket:
            fix = "add a key to ssh-agent with ssh-add, and name its socket"
            raise InvalidInput("--ssh takes the socket of an agent", path, fix)
        found[name or "default"] = path
    return found
