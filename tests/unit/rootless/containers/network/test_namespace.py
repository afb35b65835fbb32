"""Network namespaces; a new one wants a user namespace (tests/run)."""

import pytest

from rootless.containers.network.namespace import make
from rootless.errors import Precondition


@pytest.mark.needs_user
def test_without_privilege() -> None:
    """Outside of a user namespace of one's own none can be made, and nothing is left open."""
    with pytest.raises(Precondition, match="no network namespace can be made: Operation not"):
        make()
