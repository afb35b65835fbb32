"""What ADD fetches: one file by HTTP, into a file without a name, which lasts as long as the build.

As docker and buildah have it: permissions 0600, the time that the server says, and nothing of it is
unpacked unless `--unpack` is there. Source: RFC 9110.
"""

import hashlib
import logging
import os
import posixpath
import ssl
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from rootless import __version__
from rootless.build.loose_files import LooseFile
from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image.store import TempFile, write_all
from rootless.image.store_errors import explain
from rootless.linux.unnamed_file import open_unnamed
from rootless.oci.digest import Digest
from rootless.registry.certificates import Certificates

_HEADERS = {"User-Agent": f"rootless/{__version__}", "Accept-Encoding": "identity"}
_MAX_BYTES = 16 << 30
_MAX_REDIRECTS = 10
_TIMEOUT_S = 60.0


def fetch(address: str, checksum: str, folder: Path) -> LooseFile:
    """Return what is at an address.

    Args:
        address: http:// or https://.
        checksum: The digest that it must have, sha256; "" for any.
        folder: Where its bytes are kept.

    Raises:
        IntegrityError: It has another digest, or is larger than anything honest.
        InvalidInput: The address names no file.
        NotFound: The server does not give it.
        StoreError: There is no room for it.
    """
    expected = Digest(checksum) if checksum else None
    name = posixpath.basename(unquote(urlsplit(address).path).rstrip("/"))
    shown = _without_password(address)
    if name in ("", ".", ".."):
        raise InvalidInput("no name of a file in the address", shown)
    with explain(folder):
        fd = _open(folder)
    try:
        with _response(address, shown) as response:
            found, size = _received(response, fd, shown)
            mtime_ns = _modified_ns(response)
        _check(found, expected, shown)
    except BaseException:
        os.close(fd)
        raise

    def read(offset: int, length: int) -> bytes:
        with explain(folder):
            return os.pread(fd, length, offset)

    file = LooseFile(shown, name, size, read, mode=0o600, mtime_ns=mtime_ns)
    weakref.finalize(file, os.close, fd)
    return file


def _check(found: Digest, expected: Digest | None, shown: str) -> None:
    if expected is not None and found != expected:
        raise IntegrityError("wrong digest of what was fetched", shown, f"it is {found}")


def _open(folder: Path) -> int:
    fd = open_unnamed(folder, 0o600)
    if fd >= 0:
        return fd
    with TempFile(folder) as temp:
        return os.dup(temp.fd)


@contextmanager
def _response(address: str, shown: str) -> Iterator[httpx.Response]:
    """Give the answer with the file; what goes wrong says so in one line."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells whole addresses
    logging.getLogger("httpcore").setLevel(logging.INFO)
    try:
        with (
            httpx.Client(
                headers=_HEADERS,
                verify=_trusted(),
                timeout=_TIMEOUT_S,
                follow_redirects=True,
                max_redirects=_MAX_REDIRECTS,
            ) as client,
            client.stream("GET", address) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise NotFound("cannot be fetched", f"{shown}: status {response.status_code}")
            yield response
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
        reason = str(error) or type(error).__name__
        raise NotFound("cannot be fetched", f"{shown}: {reason}") from error


def _trusted() -> ssl.SSLContext:
    return Certificates.from_environment(os.environ, Path.home()).context("")


def _received(response: httpx.Response, fd: int, shown: str) -> tuple[Digest, int]:
    whole = hashlib.sha256()
    size = 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > _MAX_BYTES:
            raise IntegrityError("too large to be added", shown, f"at most {_MAX_BYTES} bytes")
        whole.update(chunk)
        with explain(shown):
            write_all(fd, chunk)
    return Digest("sha256:" + whole.hexdigest()), size


def _modified_ns(response: httpx.Response) -> int:
    """Return the time that the server says; 1970 where it says none: the same at every build."""
    try:
        seconds = parsedate_to_datetime(response.headers.get("Last-Modified", "")).timestamp()
    except (ValueError, OverflowError):
        return 0
    return max(0, int(seconds)) * 10**9


def _without_password(address: str) -> str:
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
