"""What a keeper says; its work is seen in tests/holder."""

import os
from pathlib import Path

from rootless.keeper.run import say_on


def test_what_was_said_early_is_told(tmp_path: Path) -> None:
    """Lines from before it was known whether a client is served come first, then the others."""
    path = tmp_path / "said"
    kept = os.dup(2)
    try:
        early = os.memfd_create("early")
        os.dup2(early, 2)
        os.close(early)
        os.write(2, b"first\n")
        say_on(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.write(2, b"second\n")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert path.read_text() == "first\nsecond\n"
