"""What serves the requests of an overlay: one that can be written to, or of several lowers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import wire
from .attributes import AttributeMaker
from .contents import TarContents
from .copy_up import inherit_root
from .directory_requests import DirectoryRequests
from .fast_path import FastPath
from .features import Features
from .file_requests import FileRequests
from .handles import Handles
from .name_requests import NameRequests
from .object_requests import ObjectRequests
from .overlay import Overlay
from .overlay_operations import OverlayOperations
from .ownership import IDTranslation, Squash
from .prefetch import Prefetch
from .pump import no_work
from .served import Served
from .server_config import ServerConfig
from .shown import Shown
from .tree import Tree
from .tree_lower import TreeLower
from .tree_view import TreeView
from .untouched import Untouched
from .unwritten import NAMES_MAX, Unwritten
from .upper import Upper
from .waiting import Waiting

if TYPE_CHECKING:
    from .lower import Lower


def open_overlay(
    config: ServerConfig,
    uids: Squash,
    gids: Squash,
    tree_and_contents: Callable[[], tuple[Tree, TarContents, Waiting | None]],
) -> tuple[OverlayOperations, Served]:
    """Open lowers and upperdir; raises OSError, or ValueError for what is damaged.

    Args:
        config: What is to be served.
        uids: How user IDs are shown.
        gids: How group IDs are.
        tree_and_contents: Opens the tree, where the lower is one.
    """
    lower: Lower
    waiting = None
    if config.lowerdirs:
        from .open_lower import open_lower  # noqa: PLC0415 - a run has a tree, and does without

        lower = open_lower(config.lowerdirs)
    else:
        tree, contents, waiting = tree_and_contents()
        lower = TreeLower(tree, contents)
    upper = None
    if config.upperdir_fd >= 0:
        upper = Upper(
            config.upperdir_fd, config.workdir_fd, keeps_stat_in_xattr=config.keeps_stat_in_xattr
        )
    overlay = Overlay(lower, upper, uids, gids)
    overlay.is_volatile = config.is_volatile
    overlay.unwritten = Unwritten(NAMES_MAX if config.is_ephemeral else 0)
    overlay.may_have_acls = config.has_acls and (lower.has_xattrs or not upper or not upper.is_new)
    if config.inherits_root:
        inherit_root(overlay)
    served = _serve_overlay(
        config, overlay, Shown(uids, gids, *_translations(config), static_nlink=config.static_nlink)
    )
    served.path.waiting = waiting
    return OverlayOperations(served), served


def _serve_overlay(config: ServerConfig, overlay: Overlay, shown: Shown) -> Served:
    """Let an overlay's requests be answered."""
    path = FastPath()
    if config.has_acls:
        path.wanted |= wire.ACLS
    attributes = AttributeMaker(*_translations(config), static_nlink=config.static_nlink)
    untouched = prefetch = None
    lower = overlay.lower
    # Trees are asked directly where they lie below alone: a stack numbers its objects anew.
    if isinstance(lower, TreeLower):
        untouched = Untouched(
            overlay,
            lower,
            TreeView(lower.tree, shown, counts=True),
            lambda node: attributes.entry(overlay.status(node)),
        )

        def push(ino: int, offset: int, contents: bytes | memoryview) -> None:
            node = overlay.nodes.known(ino)
            # What was copied up may have other contents by now.
            if node is None or not node.is_upper:
                path.store(ino, offset, contents)

        prefetch = Prefetch(lower.tree, lower.contents, push, lower.last_ino)
    served = Served(
        path,
        overlay,
        attributes,
        Features(config.has_xattrs, config.has_acls, config.is_volatile),
        Handles(overlay),
        untouched,
        prefetch,
    )
    NameRequests(served)
    DirectoryRequests(served)
    ObjectRequests(served)
    FileRequests(served)
    return served


def work(served: Served) -> Callable[[], bool]:
    """Return what is done of what will be asked for, in the gaps between requests."""
    untouched, prefetch = served.untouched, served.prefetch
    if untouched is None or prefetch is None:
        return no_work
    listings, contents = untouched.step, prefetch.step
    return lambda: listings() or contents()


def _translations(config: ServerConfig) -> tuple[IDTranslation, IDTranslation]:
    return (
        IDTranslation(config.uid_mapping, config.squash_uid),
        IDTranslation(config.gid_mapping, config.squash_gid),
    )
