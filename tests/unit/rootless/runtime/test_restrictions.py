"""What cannot be set; what is set is seen in tests/run."""

from dataclasses import replace

import pytest

from rootless.errors import OverlayError
from rootless.oci.runtime_spec import Process, Spec
from rootless.runtime import restrictions


def test_a_sysctl_that_there_is_not() -> None:
    """It is named in the error."""
    spec = Spec(process=Process(cwd="/", args=("x",)))
    spec = replace(spec, linux=replace(spec.linux, sysctl={"net.no.such": "1"}))
    with pytest.raises(OverlayError, match="cannot set the sysctl"):
        restrictions.apply(spec)
