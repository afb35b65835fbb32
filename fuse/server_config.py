"""What a server process is told: one JSON document on its standard input's place, its argument.

The process that starts a server opens every file first and passes descriptors, so that the server
never resolves a path that could lead through its own mount.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final

DECODED_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class ServerConfig:
    r"""All that `python -m fuse.server JSON` needs.

    Attributes:
        mountpoint: Absolute path of an existing directory, as this process sees it.
        tree: Path of the merged tree's file; empty where there are lowerdirs.
        layers: Paths of the layers' tars or chunk tables, lowest first, in the order of the tree's
            layer numbers.
        lowerdirs: Folders and tars in place of a tree, the uppermost first.
        ready_fd: The server writes one line here, `ready\n` when mounted or `error TEXT\n`,
            and closes it.
        lifeline_fd: The server ends when this descriptor reads end-of-file (its owner is gone);
            -1 for none.
        fetcher_fd: Socket to the process that fetches what layers have not got yet (`fetches`); -1
            for none: what is not there cannot be read then.
        upperdir_fd: Directory descriptor of the upperdir; -1 for a read-only mount.
        workdir_fd: Directory descriptor of the workdir, same file system; -1 with no upperdir.
        uid_map: Container UIDs that are mapped, as (first, length); others show as `overflow_uid`.
            Empty: everything is mapped.
        gid_map: The same for GIDs.
        overflow_uid: Shown and stored for UIDs that the map lacks.
        overflow_gid: Shown and stored for GIDs that the map lacks.
        uid_mapping: UIDs that are stored as others than shown: (shown, stored, length) each.
        gid_mapping: The same for GIDs.
        squash_uid: UID that everything is shown and stored as; -1 for none.
        squash_gid: The same for GIDs.
        has_xattrs: Extended attributes are shown and taken.
        has_acls: So are POSIX ACLs.
        keeps_stat_in_xattr: Owner and mode go to an extended attribute, whatever the file system
            could store itself.
        static_nlink: Directories have one link, whatever is in them.
        is_volatile: What is written need not reach the disk: fsync(2) does nothing.
        is_ephemeral: The upperdir goes with the mount, unread: what of the lower tree is
            removed is noted in memory, without whiteouts.
        inherits_root: An empty upperdir gets owner, mode and time of the lower root first.
        options: More words for the mount itself (mount.fuse3(8)).
        decoded_bytes: How much is kept of what compressed layers were decoded to.
        allow_other: Mount option; off where fusermount3 mounts for one user.
        default_permissions: The kernel checks modes; off where one user looks into an image.
        use_fusermount: Mount through fusermount3 (not root of an own user namespace).
        fsname: What mount tables show as the source.
        ignores_signals: Its owner ends it, and no signal but SIGKILL does.
        log_path: File for warnings and tracebacks; empty: stderr.
    """

    mountpoint: str
    tree: str = ""
    layers: tuple[str, ...] = ()
    lowerdirs: tuple[str, ...] = ()
    ready_fd: int = -1
    lifeline_fd: int = -1
    fetcher_fd: int = -1
    upperdir_fd: int = -1
    workdir_fd: int = -1
    uid_map: tuple[tuple[int, int], ...] = ()
    gid_map: tuple[tuple[int, int], ...] = ()
    overflow_uid: int = 65534
    overflow_gid: int = 65534
    uid_mapping: tuple[tuple[int, int, int], ...] = ()
    gid_mapping: tuple[tuple[int, int, int], ...] = ()
    squash_uid: int = -1
    squash_gid: int = -1
    has_xattrs: bool = True
    has_acls: bool = True
    keeps_stat_in_xattr: bool = False
    static_nlink: bool = False
    is_volatile: bool = False
    is_ephemeral: bool = False
    inherits_root: bool = False
    options: tuple[str, ...] = ()
    decoded_bytes: int = DECODED_BYTES
    allow_other: bool = True
    default_permissions: bool = True
    use_fusermount: bool = False
    fsname: str = "rootless"
    ignores_signals: bool = False
    log_path: str = ""

    def to_json(self) -> str:
        """Return the document that `from_json` reads."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "ServerConfig":
        """Read the document; raises ValueError or TypeError where it is not one."""
        raw = json.loads(text)
        for name in ("layers", "lowerdirs", "options"):
            raw[name] = tuple(str(word) for word in raw[name])
        for name in ("uid_map", "gid_map", "uid_mapping", "gid_mapping"):
            raw[name] = tuple(tuple(int(number) for number in line) for line in raw[name])
        return cls(**raw)
