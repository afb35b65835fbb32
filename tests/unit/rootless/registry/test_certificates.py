"""Whom to trust: containers-certs.d(5)."""

import ssl
from pathlib import Path

import pytest
import trustme

from rootless.errors import InvalidInput
from rootless.registry.certificates import Certificates

SYSTEM = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """A CA of its own."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


def subjects(context: ssl.SSLContext) -> list[object]:
    """Return whom a context trusts by name."""
    return [each["subject"] for each in context.get_ca_certs()]


def test_which_folder(tmp_path: Path) -> None:
    """The user's before the system's; the one of the command line before all."""
    certificates = Certificates.from_environment({}, tmp_path)
    assert certificates.folders == (tmp_path / ".config/containers/certs.d", *SYSTEM)
    assert certificates.of("a.test:5000") is None
    (tmp_path / "one/a.test:5000").mkdir(parents=True)
    (tmp_path / "two/a.test:5000").mkdir(parents=True)
    several = Certificates(folders=(tmp_path / "none", tmp_path / "two", tmp_path / "one"))
    assert several.of("a.test:5000") == tmp_path / "two/a.test:5000"
    assert several.of("a.test") is None
    named = Certificates.from_environment({}, tmp_path, str(tmp_path / "one"))
    assert named.of("any.test") == tmp_path / "one"
    with pytest.raises(InvalidInput, match="no such folder"):
        Certificates.from_environment({}, tmp_path, str(tmp_path / "absent"))


def test_cas(tmp_path: Path, ca: trustme.CA) -> None:
    """A registry's CA is trusted besides the system's, and by that registry's context alone."""
    folder = tmp_path / "a.test"
    folder.mkdir()
    ca.cert_pem.write_to_path(folder / "own.crt")
    (folder / "README").write_text("not looked at")
    certificates = Certificates(folders=(tmp_path,))
    own, others = certificates.context("a.test"), certificates.context("b.test")
    assert len(subjects(own)) == len(subjects(others)) + 1
    assert own.verify_mode == ssl.CERT_REQUIRED
    assert own.check_hostname
    assert certificates.context("a.test", verify=False).verify_mode == ssl.CERT_NONE


def test_cas_of_the_environment(tmp_path: Path, ca: trustme.CA) -> None:
    """$SSL_CERT_FILE stands for the system's CAs; one that is none is named."""
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    environ = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    certificates = Certificates.from_environment(environ, tmp_path)
    assert len(subjects(certificates.context("a.test"))) == 1
    with pytest.raises(InvalidInput, match=r"cannot be used: .*absent.*SSL_CERT_FILE"):
        Certificates(ca_file=str(tmp_path / "absent")).context("a.test")


def test_clients(tmp_path: Path, ca: trustme.CA) -> None:
    """A certificate with its key is loaded; each half alone is an error that names the other."""
    client = ca.issue_cert("alice@example.org", key_type=trustme.KeyType.ECDSA)
    certificates = Certificates(folder=tmp_path)
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    with pytest.raises(InvalidInput, match=r"key has no certificate: .*add client\.cert"):
        certificates.context("a.test")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.cert")
    certificates.context("a.test")
    (tmp_path / "client.key").unlink()
    with pytest.raises(InvalidInput, match=r"certificate has no key: .*add client\.key"):
        certificates.context("a.test")
    (tmp_path / "client.key").write_text("not a key")
    with pytest.raises(InvalidInput, match=r"cannot be used: .*client\.cert and client\.key"):
        certificates.context("a.test")


def test_a_ca_that_is_none(tmp_path: Path) -> None:
    """The file is named."""
    (tmp_path / "bad.crt").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----")
    with pytest.raises(InvalidInput, match=r"certificates cannot be used: .*bad\.crt"):
        Certificates(folder=tmp_path).context("a.test")
