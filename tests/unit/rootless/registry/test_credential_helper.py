"""The protocol of docker-credential-helpers, with a program that speaks it."""

import json
from pathlib import Path

import pytest

from rootless.errors import InvalidInput, Precondition
from rootless.registry.credential_helper import (
    ask_helper,
    erase_in_helper,
    store_in_helper,
)
from rootless.registry.credentials import Credentials


def test_get_store_erase(helper: Path) -> None:
    """What was stored comes back, and is gone after it was erased."""
    assert ask_helper("test", "a.test") is None
    store_in_helper("test", "a.test", Credentials("alice", "secret"))
    assert ask_helper("test", "a.test") == Credentials("alice", "secret")
    assert json.loads(helper.read_text())["a.test"]["Username"] == "alice"
    assert erase_in_helper("test", "a.test")
    assert not erase_in_helper("test", "a.test")


def test_identity_tokens(helper: Path) -> None:
    """The user name `<token>` marks one, in both directions."""
    store_in_helper("test", "a.test", Credentials("alice", identity_token="t"))
    assert json.loads(helper.read_text())["a.test"]["Username"] == "<token>"
    assert ask_helper("test", "a.test") == Credentials("", identity_token="t")


def test_failures_show_no_secret(helper: Path) -> None:
    """A helper that fails is named with its own words, but none of its answer or the secret."""
    with pytest.raises(
        InvalidInput, match=r"docker-credential-test get broken\.test: keychain"
    ) as error:
        ask_helper("test", "broken.test")
    assert "half" not in str(error.value)
    with pytest.raises(InvalidInput, match="answer is not valid") as error:
        ask_helper("test", "nonsense.test")
    assert "half" not in str(error.value)
    with pytest.raises(InvalidInput, match=r"cannot store \*\*\*: locked"):
        store_in_helper("test", "a.test", Credentials("alice", "refused"))


def test_programs_that_are_none() -> None:
    """A missing program is a precondition; a name that is no name never becomes a program's."""
    with pytest.raises(Precondition, match="program is missing: docker-credential-absent"):
        ask_helper("absent", "a.test")
    for name in ("../x", "", "a b", "-x", "a/b"):
        with pytest.raises(InvalidInput, match="not the name of a credential helper"):
            ask_helper(name, "a.test")
