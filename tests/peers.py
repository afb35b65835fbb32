"""Other programs that read and write images: skopeo, umoci, unsquashfs."""

import subprocess
from pathlib import Path


def tool(*words: str | Path) -> str:
    """Run one, expect success, return what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout
