"""`rootless.transfer.pull_options`: the words for when a registry is asked."""

import pytest

from rootless.errors import InvalidInput
from rootless.transfer.pull_options import Policy, parse_policy


@pytest.mark.parametrize("policy", Policy)
def test_policies(policy: Policy) -> None:
    """Each has its word, in either case, as podman has it."""
    assert parse_policy(policy.value) is policy
    assert parse_policy(policy.value.upper()) is policy


def test_no_policy() -> None:
    """Another word is refused with those that there are."""
    with pytest.raises(InvalidInput, match="one of missing, always, newer, never"):
        parse_policy("sometimes")
