"""What a server process is told: one JSON document on its standard input's place, its argument.

The process that starts a server opens every file first and passes descriptors, so that the server
never resolves a path that could lead through its own mount.
"""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class ServerConfig:
    r"""All that `python -m fuse.server JSON` needs.

    Attributes:
        mountpoint: Absolute path of an existing directory, as this process sees it.
        tree: Path of the merged tree's file.
        layers: Paths of the layers' tars, lowest first, in the order of the tree's layer numbers.
        ready_fd: The server writes one line here, `ready\n` when mounted or `error TEXT\n`,
            and closes it.
        lifeline_fd: The server ends when this descriptor reads end-of-file (its owner is gone);
            -1 for none.
        upperdir_fd: Directory descriptor of the upperdir; -1 for a read-only mount.
        workdir_fd: Directory descriptor of the workdir, same file system; -1 with no upperdir.
        uid_map: Container UIDs that are mapped, as (first, length); others show as `overflow_uid`.
            Empty: everything is mapped.
        gid_map: The same for GIDs.
        overflow_uid: Shown and stored for UIDs that the map lacks.
        overflow_gid: Shown and stored for GIDs that the map lacks.
        allow_other: Mount option; off where fusermount3 mounts for one user.
        default_permissions: The kernel checks modes; off where one user looks into an image.
        use_fusermount: Mount through fusermount3 (not root of an own user namespace).
        fsname: What mount tables show as the source.
        log_path: File for warnings and tracebacks; empty: stderr.
    """

    mountpoint: str
    tree: str
    layers: tuple[str, ...]
    ready_fd: int
    lifeline_fd: int = -1
    upperdir_fd: int = -1
    workdir_fd: int = -1
    uid_map: tuple[tuple[int, int], ...] = ()
    gid_map: tuple[tuple[int, int], ...] = ()
    overflow_uid: int = 65534
    overflow_gid: int = 65534
    allow_other: bool = True
    default_permissions: bool = True
    use_fusermount: bool = False
    fsname: str = "rootless"
    log_path: str = ""

    def to_json(self) -> str:
        """Return the document that `from_json` reads."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "ServerConfig":
        """Read the document; raises ValueError or TypeError where it is not one."""
        raw = json.loads(text)
        raw["layers"] = tuple(raw["layers"])
        raw["uid_map"] = tuple((int(first), int(length)) for first, length in raw["uid_map"])
        raw["gid_map"] = tuple((int(first), int(length)) for first, length in raw["gid_map"])
        return cls(**raw)
