"""`rootless.image.fault`: a fault as a line."""

from rootless.image.fault import LAYER, Fault


def test_a_line() -> None:
    """What it is, whose, what is wrong, what to do; and that it was done."""
    fault = Fault(LAYER, "sha256:ab", "missing", ("a:1", "b:2"), "load it")
    assert str(fault) == "layer sha256:ab of a:1, b:2: missing (load it)"
    assert str(Fault(LAYER, "sha256:ab", "missing", repaired=True)) == (
        "layer sha256:ab: missing (repaired)"
    )
    assert str(Fault(LAYER, "sha256:ab", "missing")) == "layer sha256:ab: missing"
