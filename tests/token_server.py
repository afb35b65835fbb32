"""A token server for docker-registry's `auth: token`: a program of its own.

    python token_server.py FOLDER [--lifetime S] [--told S]

FOLDER holds `key.pem`, with which tokens are signed (the registry has the certificate), and gets
`requests.jsonl`: a line for each request, so that a test can see who asked for what. The first line
on standard output is the port. Specification: docker-registry's spec/auth/token.md and oauth.md,
JSON Web Tokens by RFC 7519, the key's name by libtrust.

One user may do everything; who gives no password may pull from `public/…`. `POST` takes the
password or the refresh token that it gave with `access_type=offline`. A token ends --lifetime
seconds from now for the registry, which allows 60 more seconds than a token says: so it is signed
with an end in the past. --told is what the answer says in `expires_in`, 0 leaves it out.
"""

import argparse
import base64
import hashlib
import json
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

USER = "alice"
PASSWORD = "open sesame"
REFRESH_TOKEN = "refresh-alice"
ISSUER = "rootless-test"
SERVICE = "rootless-test-registry"
_LEEWAY_S = 60  # docker-registry's


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return libtrust's name of a key: base32 of its digest's first 240 bits, in fours."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[i : i + 4] for i in range(0, len(text), 4))


def signed(claims: dict[str, Any], key: ec.EllipticCurvePrivateKey) -> str:
    """Return a JSON Web Token, by ES256."""
    head = {"typ": "JWT", "alg": "ES256", "kid": key_id(key.public_key())}
    text = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def granted(scope: str, user: str) -> dict[str, Any]:
    """Return the access that a scope, `repository:NAME:ACTION,…`, gets."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    allowed = actions.split(",")
    if user != USER:
        public = kind == "repository" and name.startswith("public/")
        allowed = [action for action in allowed if public and action == "pull"]
    return {"type": kind, "name": name, "actions": allowed}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "TokenServer"

    def do_GET(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        words = self.headers.get("Authorization", "").split()
        user = ""
        if words[:1] == ["Basic"]:
            user, _, password = base64.b64decode(words[1]).decode().partition(":")
            if (user, password) != (USER, PASSWORD):
                self._answer(401, {"details": "incorrect username or password"})
                return
        self._give("token", query, user)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {key: values[0] for key, values in urllib.parse.parse_qs(body).items()}
        given = form.get("username"), form.get("password")
        by_password = form["grant_type"] == "password" and given == (USER, PASSWORD)
        by_token = form["grant_type"] == "refresh_token" and form["refresh_token"] == REFRESH_TOKEN
        if not (by_password or by_token):
            self._answer(401, {"details": "incorrect username or password"})
            return
        extra = {"refresh_token": REFRESH_TOKEN} if form.get("access_type") == "offline" else {}
        query = {name: [form[name]] for name in ("scope", "service") if name in form}
        self._give("access_token", query, USER, **extra)

    def _give(self, name: str, query: dict[str, list[str]], user: str, **extra: str) -> None:
        options = self.server.options
        scopes = [scope for text in query.get("scope", []) for scope in text.split()]
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": query.get("service", [""])[0],
            "exp": now + options.lifetime - _LEEWAY_S,
            "nbf": now - 10,
            "iat": now,
            "jti": str(now),
            "access": [granted(scope, user) for scope in scopes],
        }
        self.server.note(method=self.command, user=user, scopes=scopes)
        told = {"expires_in": options.told} if options.told else {}
        self._answer(200, {name: signed(claims, self.server.key), **told, **extra})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing; `requests.jsonl` has it."""


class TokenServer(ThreadingHTTPServer):
    """The server, its key and its notes."""

    daemon_threads = True

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.options = options
        key = load_pem_private_key((folder / "key.pem").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key = key
        self._notes = folder / "requests.jsonl"

    def note(self, **what: object) -> None:
        """Write down a request."""
        with self._notes.open("a") as file:
            file.write(json.dumps(what) + "\n")


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lifetime", type=int, default=300)
    parser.add_argument("--told", type=int, default=300)
    options = parser.parse_args()
    with TokenServer(options.folder, options) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
