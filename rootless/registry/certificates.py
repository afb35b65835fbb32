"""Whom to trust: containers-certs.d(5), $SSL_CERT_FILE, $SSL_CERT_DIR, the system's CAs.

The first folder that has one of the registry's name counts, the user's before the system's. In it
are CAs (`*.crt`), trusted besides the system's, and certificates of the client (`NAME.cert` with
`NAME.key`).
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import InvalidInput

_SYSTEM_FOLDERS = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where certificates are.

    Attributes:
        folders: Folders with a folder for each registry.
        folder: The folder for every registry, where the user names one.
        ca_file: CAs in place of the system's, or "".
        ca_folder: The same, a folder with hashed names.
    """

    folders: tuple[Path, ...] = ()
    folder: Path | None = None
    ca_file: str = ""
    ca_folder: str = ""

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], home: Path, cert_dir: str = ""
    ) -> "Certificates":
        """Read the variables; *cert_dir* is the folder of `--cert-dir`."""
        if cert_dir and not os.path.isdir(cert_dir):
            raise InvalidInput("no such folder", cert_dir, "--cert-dir takes a folder with *.crt")
        return cls(
            folders=(home / ".config/containers/certs.d", *_SYSTEM_FOLDERS),
            folder=Path(cert_dir) if cert_dir else None,
            ca_file=environ.get("SSL_CERT_FILE", ""),
            ca_folder=environ.get("SSL_CERT_DIR", ""),
        )

    def of(self, domain: str) -> Path | None:
        """Return the folder of a registry, `HOST[:PORT]`, or None."""
        if self.folder is not None:
            return self.folder
        folders = (folder / domain for folder in self.folders)
        # os: pathlib raises where a folder of the system is not for everybody
        return next((folder for folder in folders if os.path.isdir(folder)), None)

    def context(self, domain: str, *, verify: bool = True) -> ssl.SSLContext:
        """Return the settings of TLS for a registry; raises InvalidInput that names a bad file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if verify:
            self._load_cas(context)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        folder = self.of(domain)
        if folder is not None:
            _load_folder(context, folder)
        return context

    def _load_cas(self, context: ssl.SSLContext) -> None:
        if self.ca_file or self.ca_folder:
            where = self.ca_file or self.ca_folder
            try:
                context.load_verify_locations(self.ca_file or None, self.ca_folder or None)
            except OSError as error:
                fix = "SSL_CERT_FILE and SSL_CERT_DIR name what is trusted"
                raise _unusable(where, error, fix) from error
            return
        context.load_default_certs()
        paths = ssl.get_default_verify_paths()
        if paths.cafile is None and paths.capath is None:
            # an interpreter that was built elsewhere looks where this system has nothing
            import certifi  # noqa: PLC0415

            context.load_verify_locations(certifi.where())


def _load_folder(context: ssl.SSLContext, folder: Path) -> None:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise _unusable(os.fspath(folder), error) from error
    for name in names:
        path = folder / name
        if path.suffix == ".crt":
            try:
                context.load_verify_locations(path)
            except OSError as error:
                raise _unusable(os.fspath(path), error) from error
        elif path.suffix == ".cert":
            _load_client(context, path, path.with_suffix(".key"))
        elif path.suffix == ".key" and not path.with_suffix(".cert").exists():
            raise InvalidInput("key has no certificate", f"{path}", f"add {path.stem}.cert")


def _load_client(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    if not key.exists():
        raise InvalidInput("certificate has no key", f"{certificate}", f"add {key.name}")
    try:
        # an empty password: OpenSSL would ask for one on the terminal
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        raise _unusable(f"{certificate} and {key.name}", error) from error


def _unusable(on: str, error: OSError, fix: str = "") -> InvalidInput:
    reason = error.strerror if error.errno and error.strerror else str(error)
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "not PEM"
    return InvalidInput("certificates cannot be used", f"{on}: {reason}", fix)
