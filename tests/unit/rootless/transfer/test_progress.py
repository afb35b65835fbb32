"""`rootless.transfer.progress`: a transfer that nobody watches."""

import pytest

from rootless.transfer.progress import Silent, State


def test_silence(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is shown."""
    progress = Silent()
    progress.say("text")
    meter = progress.begin("layer", 10)
    meter.enter(State.DOWNLOADING, 3)
    meter.advance(7)
    assert capfd.readouterr() == ("", "")
