"""What serves the requests of a mount, put together from its config and opened before it."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyfuse3

from .contents import TarContents
from .fetch_link import FetchLink
from .operations import ReadOnlyOperations
from .ownership import Squash
from .pump import Pump
from .server_config import ServerConfig
from .shown import Shown
from .tree import Tree
from .tree_fast_path import TreeFastPath
from .waiting import Waiting

if TYPE_CHECKING:
    from .overlay import Overlay


@dataclass(frozen=True, slots=True)
class FileSystem:
    """What serves the requests, opened and not yet mounted.

    Attributes:
        operations: What pyfuse3 calls.
        pump: What runs the session.
        overlay: What is to be closed at the end; None where nothing has to be.
    """

    operations: pyfuse3.Operations
    pump: Pump
    overlay: "Overlay | None" = None


def open_file_system(config: ServerConfig) -> FileSystem:
    """Open layers, tree and upperdir; raises OSError, or ValueError for what is damaged."""
    uids = Squash(config.uid_map, config.overflow_uid)
    gids = Squash(config.gid_map, config.overflow_gid)
    if config.upperdir_fd < 0 and not config.lowerdirs:
        tree, contents, waiting = _tree_and_contents(config)
        tree_path = TreeFastPath(tree, contents, Shown(uids, gids))
        tree_path.waiting = waiting
        return FileSystem(ReadOnlyOperations(tree), Pump(tree_path, tree_path.work))
    # Half of a server's modules, for what most runs leave to kernel overlayfs
    from .overlay_file_system import open_overlay, work  # noqa: PLC0415

    operations, served = open_overlay(config, uids, gids, lambda: _tree_and_contents(config))
    return FileSystem(operations, Pump(served.path, work(served)), served.overlay)


def _tree_and_contents(config: ServerConfig) -> tuple[Tree, TarContents, Waiting | None]:
    """Return tree, contents, and where requests wait; None where none does."""
    tree = Tree.open(os.path.realpath(config.tree))
    try:
        contents, waiting = _contents(config)
    except BaseException:
        tree.close()
        raise
    return tree, contents, waiting


def _contents(config: ServerConfig) -> tuple[TarContents, Waiting | None]:
    waiting = None if config.fetcher_fd < 0 else Waiting(FetchLink(config.fetcher_fd))
    contents = TarContents(
        config.layers,
        decoded_bytes=config.decoded_bytes,
        on_absent=None if waiting is None else waiting.miss,
        on_first=None if waiting is None else waiting.link.note,
    )
    return contents, waiting if contents.is_lazy else None
