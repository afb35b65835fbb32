"""What `fuse.mount` refuses before a server is started; the rest is in tests/mounted."""

from pathlib import Path
from typing import Any

import pytest
import trio

import fuse
from fuse.mounting import Mounted, mount


def test_the_package_offers_it() -> None:
    """`fuse.mount` is there without an import of the module; other names are not."""
    assert (fuse.mount, fuse.Mounted) == (mount, Mounted)
    with pytest.raises(AttributeError, match="no attribute 'umount'"):
        _ = fuse.umount  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("folders", "error"),
    [
        ({"upperdir": "l"}, ValueError),
        ({"workdir": "l"}, ValueError),
        ({"upperdir": "l", "workdir": "none"}, FileNotFoundError),
        ({"mountpoint": "none"}, NotADirectoryError),
    ],
)
def test_what_is_refused(tmp_path: Path, folders: dict[str, str], error: type[Exception]) -> None:
    """An upperdir without a workdir, folders that are not there: an error, and nothing is open."""
    for name in ("l", "m"):
        (tmp_path / name).mkdir()
    paths: dict[str, Any] = {name: tmp_path / value for name, value in folders.items()}
    mountpoint = paths.pop("mountpoint", tmp_path / "m")

    async def enter() -> None:
        async with mount([tmp_path / "l"], mountpoint, **paths):
            pytest.fail("it was mounted")

    with pytest.raises(error):
        trio.run(enter)
