"""Builders of layers, OCI layouts and archives, normal and hostile, for every test that needs one.

The tar headers are written here byte by byte (POSIX.1-2017 pax, "ustar Interchange Format"), so
that tests can also make what no honest tool writes. Names and targets are bytes; str is encoded.
"""

import gzip
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import zstandard

BLOCK = 512
END = bytes(2 * BLOCK)
MTIME = 1_700_000_000

LAYER_TYPES = {
    "none": "application/vnd.oci.image.layer.v1.tar",
    "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def octal(value: int, width: int) -> bytes:
    """Return a number field: octal where it fits, else GNU's base-256."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return b"\x80" + value.to_bytes(width - 1, "big") if value >= 0 else negative(value, width)


def negative(value: int, width: int) -> bytes:
    """Return a negative number in GNU's base-256."""
    return value.to_bytes(width, "big", signed=True)


def header(
    name: bytes,
    *,
    typeflag: bytes = b"0",
    size: int = 0,
    mode: int = 0o644,
    uid: int = 0,
    gid: int = 0,
    mtime: int = MTIME,
    linkname: bytes = b"",
    major: int = 0,
    minor: int = 0,
    prefix: bytes = b"",
    magic: bytes = b"ustar\x0000",
    tail: bytes = b"",
) -> bytes:
    """Return one header block with a right checksum; `tail` replaces the bytes from 345 on."""
    block = bytearray(BLOCK)
    for start, width, raw in (
        (0, 100, name),
        (100, 8, octal(mode, 8)),
        (108, 8, octal(uid, 8)),
        (116, 8, octal(gid, 8)),
        (124, 12, octal(size, 12)),
        (136, 12, octal(mtime, 12)),
        (148, 8, b" " * 8),
        (156, 1, typeflag),
        (157, 100, linkname),
        (257, 8, magic),
        (329, 8, octal(major, 8)),
        (337, 8, octal(minor, 8)),
        (345, 167, tail or prefix[:155]),
    ):
        block[start : start + min(width, len(raw))] = raw[:width]
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    """Return the bytes filled up to whole blocks."""
    return content + bytes(-len(content) % BLOCK)


def pax_record(key: bytes, value: bytes) -> bytes:
    """Return one `length key=value` record, the length counting itself."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def pax_header(records: Sequence[tuple[bytes, bytes]], *, typeflag: bytes = b"x") -> bytes:
    """Return an extended header member with these records, repeated keys allowed."""
    content = b"".join(pax_record(key, value) for key, value in records)
    return header(b"PaxHeaders/x", typeflag=typeflag, size=len(content)) + padded(content)


def gnu_long(typeflag: bytes, text: bytes) -> bytes:
    """Return GNU's long name (`L`) or long link (`K`) member."""
    content = text + b"\0"
    return header(b"././@LongLink", typeflag=typeflag, size=len(content)) + padded(content)


def as_bytes(name: str | bytes) -> bytes:
    """Return a name in bytes."""
    return name.encode() if isinstance(name, str) else name


class LayerBuilder:
    """Collects members and gives the tar's bytes; every method returns the builder itself."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def member(
        self,
        path: str | bytes,
        typeflag: bytes,
        *,
        content: bytes = b"",
        target: str | bytes = b"",
        xattrs: Mapping[str, bytes] | None = None,
        mtime: float = MTIME,
        mode: int = 0o644,
        uid: int = 0,
        gid: int = 0,
        major: int = 0,
        minor: int = 0,
        pax: Sequence[tuple[bytes, bytes]] = (),
    ) -> Self:
        """Add one member, with a PAX header where its values need one."""
        name, link = as_bytes(path), as_bytes(target)
        records = list(pax)
        if len(name) > 100:
            records.append((b"path", name))
        if len(link) > 100:
            records.append((b"linkpath", link))
        if mtime != int(mtime) or mtime < 0:
            records.append((b"mtime", repr(mtime).encode()))
        for key, value in (xattrs or {}).items():
            records.append((b"SCHILY.xattr." + key.encode(), value))
        if records:
            self._parts.append(pax_header(records))
        self._parts.append(
            header(
                name,
                typeflag=typeflag,
                size=len(content),
                mode=mode,
                uid=uid,
                gid=gid,
                mtime=max(0, int(mtime)),
                linkname=link,
                major=major,
                minor=minor,
            )
        )
        self._parts.append(padded(content))
        return self

    def directory(self, path: str | bytes, *, mode: int = 0o755, **rest: Any) -> Self:
        """Add a directory."""
        return self.member(as_bytes(path).rstrip(b"/") + b"/", b"5", mode=mode, **rest)

    def file(self, path: str | bytes, content: bytes = b"", **rest: Any) -> Self:
        """Add a regular file."""
        return self.member(path, b"0", content=content, **rest)

    def symlink(self, path: str | bytes, target: str | bytes, **rest: Any) -> Self:
        """Add a symbolic link."""
        return self.member(path, b"2", target=target, **{"mode": 0o777} | rest)

    def hard_link(self, path: str | bytes, target: str | bytes, **rest: Any) -> Self:
        """Add a hard link to an earlier member, or to a file of a lower layer."""
        return self.member(path, b"1", target=target, **rest)

    def device(self, path: str | bytes, kind: str, major: int, minor: int, **rest: Any) -> Self:
        """Add a character ("c") or block ("b") device."""
        flag = {"c": b"3", "b": b"4"}[kind]
        return self.member(path, flag, major=major, minor=minor, **rest)

    def fifo(self, path: str | bytes, **rest: Any) -> Self:
        """Add a named pipe."""
        return self.member(path, b"6", **rest)

    def whiteout(self, path: str | bytes) -> Self:
        """Hide a name of the lower layers."""
        parent, _, name = as_bytes(path).rpartition(b"/")
        return self.file((parent + b"/" if parent else b"") + b".wh." + name)

    def opaque(self, path: str | bytes) -> Self:
        """Hide everything that the lower layers have in a directory."""
        parent = as_bytes(path).strip(b"/")
        return self.file((parent + b"/" if parent else b"") + b".wh..wh..opq")

    def raw(self, blocks: bytes) -> Self:
        """Add bytes as they are."""
        self._parts.append(blocks)
        return self

    def tar(self, *, end: bytes = END) -> bytes:
        """Return the archive."""
        return b"".join(self._parts) + end


Layer = bytes | LayerBuilder


def layer_tar(layer: Layer) -> bytes:
    """Return the layer's tar."""
    return layer if isinstance(layer, bytes) else layer.tar()


def digest(content: bytes) -> str:
    """Return the `sha256:` digest."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": lambda content: gzip.compress(content, 1, mtime=0),
    "zstd": lambda content: zstandard.ZstdCompressor(level=1).compress(content),
}


def image_config(layers: Sequence[Layer], config: Mapping[str, Any] | None = None) -> bytes:
    """Return an image config document; `config` is its `config` object (Env, Cmd, …)."""
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-01-02T03:04:05Z",
        "config": dict(config or {"Cmd": ["/bin/sh"], "Env": ["PATH=/usr/bin:/bin"]}),
        "rootfs": {"type": "layers", "diff_ids": [digest(layer_tar(each)) for each in layers]},
        "history": [{"created_by": "tests/images.py"} for _ in layers],
    }
    return json.dumps(document, sort_keys=True).encode()


class Layout:
    """An OCI layout folder that grows blob by blob."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob_path(self, blob_digest: str) -> Path:
        """Return where a blob lies."""
        return self.path / "blobs" / "sha256" / blob_digest.partition(":")[2]

    def add_blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Write a blob and return its descriptor."""
        name = digest(content)
        self.blob_path(name).write_bytes(content)
        return {"mediaType": media_type, "digest": name, "size": len(content)}

    def add_image(
        self,
        layers: Sequence[Layer],
        *,
        tag: str | None = "latest",
        config: Mapping[str, Any] | None = None,
        compression: str = "gzip",
        config_bytes: bytes | None = None,
    ) -> dict[str, Any]:
        """Add an image and name it in index.json; returns the manifest's descriptor."""
        compress, media_type = COMPRESSORS[compression], LAYER_TYPES[compression]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": self.add_blob(config_bytes or image_config(layers, config), CONFIG_TYPE),
            "layers": [self.add_blob(compress(layer_tar(each)), media_type) for each in layers],
        }
        descriptor = self.add_blob(json.dumps(manifest).encode(), MANIFEST_TYPE)
        descriptor["platform"] = {"architecture": "amd64", "os": "linux"}
        if tag is not None:
            descriptor["annotations"] = {"org.opencontainers.image.ref.name": tag}
        self.add_to_index(descriptor)
        return descriptor

    def add_to_index(self, descriptor: Mapping[str, Any]) -> None:
        """Append a descriptor to index.json."""
        index_path = self.path / "index.json"
        index: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}
        if index_path.exists():
            index = json.loads(index_path.read_text())
        index["manifests"].append(descriptor)
        index_path.write_text(json.dumps(index))


def oci_layout(
    path: Path,
    layers: Sequence[Layer],
    *,
    tag: str | None = "latest",
    config: Mapping[str, Any] | None = None,
    compression: str = "gzip",
) -> Path:
    """Write an OCI layout folder with one image (or add one to it) and return its path."""
    Layout(path).add_image(layers, tag=tag, config=config, compression=compression)
    return path


def folder_tar(folder: Path) -> bytes:
    """Return a tar of a folder's contents, as an OCI archive has it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for each in sorted(folder.rglob("*")):
            archive.add(each, arcname=str(each.relative_to(folder)), recursive=False)
    return buffer.getvalue()


def oci_archive(path: Path, layers: Sequence[Layer], **options: Any) -> Path:
    """Write an OCI archive (a layout in a tar) at `path`; its folder is kept as `path`.d."""
    folder = oci_layout(path.with_name(path.name + ".d"), layers, **options)
    path.write_bytes(folder_tar(folder))
    return path


def docker_archive(
    path: Path,
    layers: Sequence[Layer],
    *,
    names: Sequence[str] = ("demo:latest",),
    config: Mapping[str, Any] | None = None,
    compression: str = "none",
) -> Path:
    """Write what `docker save` writes: manifest.json, the image config and the layers."""
    builder = LayerBuilder()
    config_bytes = image_config(layers, config)
    config_name = digest(config_bytes).partition(":")[2] + ".json"
    layer_names = []
    for layer in layers:
        content = layer_tar(layer)
        layer_name = digest(content).partition(":")[2] + "/layer.tar"
        if layer_name not in layer_names:
            builder.file(layer_name, COMPRESSORS[compression](content))
        layer_names.append(layer_name)
    manifest = [{"Config": config_name, "RepoTags": list(names), "Layers": layer_names}]
    builder.file(config_name, config_bytes)
    builder.file("manifest.json", json.dumps(manifest).encode())
    path.write_bytes(builder.tar())
    return path


def small_layer() -> LayerBuilder:
    """Return a layer with one of each kind of object."""
    return (
        LayerBuilder()
        .directory("./")
        .directory("bin")
        .file("bin/sh", b"#!\n", mode=0o755)
        .hard_link("bin/dash", "bin/sh", mode=0o755)
        .directory("dev")
        .device("dev/null", "c", 1, 3, mode=0o666)
        .device("dev/loop0", "b", 7, 0, mode=0o660, gid=6)
        .directory("etc")
        .file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        .symlink("etc/mtab", "/proc/mounts")
        .directory("run")
        .fifo("run/pipe", mode=0o600)
        .directory("usr")
        .directory("usr/bin")
        .file("usr/bin/su", b"su", mode=stat.S_ISUID | 0o755)
        .file("usr/bin/ping", b"ping", mode=0o755, xattrs={"security.capability": CAP_NET_RAW})
        .directory("home")
        .directory("home/user", uid=1000, gid=1000, mode=0o700)
        .file(b"home/user/\xff\xfe", b"name in no character set", uid=1000, gid=1000)
        .directory("tmp", mode=stat.S_ISVTX | 0o777)
    )


CAP_NET_RAW = bytes.fromhex("0100000200200000000000000000000000000000")
