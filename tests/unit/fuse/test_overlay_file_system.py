"""What an overlay is served with, beside what `test_file_system` asks of it."""

import os
from pathlib import Path

from overlays import shown_names

from fuse.overlay_file_system import open_overlay
from fuse.ownership import Squash
from fuse.server_config import ServerConfig


def test_a_stack_of_folders_opens_no_tree(tmp_path: Path) -> None:
    """Lowers that are folders are served, with an upperdir, and no tree is asked for."""
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "lower/file").write_text("below")
    fds = [os.open(tmp_path / name, os.O_RDONLY | os.O_DIRECTORY) for name in ("upper", "work")]
    config = ServerConfig(
        str(tmp_path),
        lowerdirs=(str(tmp_path / "lower"),),
        upperdir_fd=fds[0],
        workdir_fd=fds[1],
    )
    uids, gids = Squash(config.uid_map, 65534), Squash(config.gid_map, 65534)
    operations, served = open_overlay(config, uids, gids, lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    assert shown_names(served.overlay, served.overlay.node(1)) == [b"file"]
    assert served.prefetch is None
    assert operations is not None
    served.overlay.close()
    for fd in fds:
        os.close(fd)
