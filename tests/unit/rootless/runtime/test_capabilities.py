"""Capability sets of the workload."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.linux.capset import NAMES
from rootless.runtime.capabilities import mask_of


@settings(database=None, max_examples=50)
@given(names=st.lists(st.sampled_from(NAMES)))
def test_masks(names: list[str]) -> None:
    """A mask has one bit for each name, whatever their order, case and number."""
    mask = mask_of(names)
    assert mask.bit_count() == len(set(names))
    assert {NAMES[i] for i in range(64) if mask >> i & 1} == set(names)
    assert mask_of(name.lower() for name in reversed(names)) == mask


@pytest.mark.parametrize("name", ["", "KILL", "CAP_", "CAP_ALL", "CAP_KILL "])
def test_unknown_names(name: str) -> None:
    """config.md: what cannot be mapped is no error (and adds nothing)."""
    assert mask_of(["CAP_CHOWN", name]) == 1
