"""Settings: everything out of one environment."""

from pathlib import Path

import pytest

from rootless.errors import InvalidInput
from rootless.registry.settings import Settings, candidates


def test_everything_is_read_from_the_environment_given(tmp_path: Path) -> None:
    """Registries, auth files, certificates and proxies; options over them."""
    folder = tmp_path / ".config/containers"
    folder.mkdir(parents=True)
    (folder / "registries.conf").write_text(
        'unqualified-search-registries = ["a.test"]\ncredential-helpers = ["test"]'
    )
    environ = {"HOME": str(tmp_path), "HTTPS_PROXY": "proxy.test", "SSL_CERT_FILE": "/ca.pem"}
    settings = Settings.load(environ)
    assert [str(reference) for reference in candidates("x:1", settings)] == ["a.test/x:1"]
    assert settings.keyring.paths[0] == folder / "auth.json"
    assert settings.keyring.helpers == ("test",)
    assert settings.certificates.ca_file == "/ca.pem"
    assert settings.proxies.of("https://a.test") == "http://proxy.test"
    assert settings.tls_verify is None
    given = Settings.load(environ, tls_verify=False, authfile="/x.json", cert_dir=str(tmp_path))
    assert given.keyring.paths == (Path("/x.json"),)
    assert given.certificates.folder == tmp_path
    assert given.tls_verify is False


def test_a_fault_is_said_at_once(tmp_path: Path) -> None:
    """Before any registry is asked."""
    with pytest.raises(InvalidInput, match="HTTP_PROXY"):
        Settings.load({"HOME": str(tmp_path), "http_proxy": "gopher://x"})
