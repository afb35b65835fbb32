"""Layers with a table of contents, by `rootless.chunked`; how a descriptor tells that it is one."""

from rootless.chunked.output import Sink, Written
from rootless.image.byte_stream import ByteStream
from rootless.oci.descriptor import Descriptor
from rootless.transfer.compression import Compression

_ANNOTATIONS = {
    "containerd.io/snapshot/stargz/toc.digest": "estargz",
    "io.github.containers.zstd-chunked.manifest-checksum": "zstd:chunked",
}


def write_chunked(compression: Compression, tar: ByteStream, out: Sink, what: str) -> Written:
    """Write a tar as an eStargz or a zstd:chunked blob; raises IntegrityError for no layer."""
    if compression.name == "estargz":
        from rootless.chunked.estargz import write_estargz  # noqa: PLC0415 - few need it

        return write_estargz(tar, out, level=compression.level, what=what)
    from rootless.chunked.zstd_chunked import write_zstd_chunked  # noqa: PLC0415

    return write_zstd_chunked(tar, out, level=compression.level, what=what)


def chunked_name(layer: Descriptor) -> str:
    """Return "estargz" or "zstd:chunked" for a layer that says it is one; else ""."""
    named = (name for key, name in _ANNOTATIONS.items() if key in layer.annotations)
    return next(named, "")
