"""Credentials show nothing."""

from rootless.registry.credentials import Credentials


def test_no_secret_is_shown() -> None:
    """Neither repr nor str has the password, the token or the name."""
    credentials = Credentials("alice", "secret", "token")
    for text in (repr(credentials), str(credentials), f"{credentials}"):
        assert text == "Credentials(***)"
    assert credentials.secrets == ("secret", "token")
    assert Credentials("alice").secrets == ()
