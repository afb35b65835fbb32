"""`rootless.transfer.chunked_layer`: layers with a table of contents, and how to tell them."""

import gzip
import io

import images
import pytest
import zstandard

from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import sha256_of
from rootless.transfer.chunked_layer import chunked_name, write_chunked
from rootless.transfer.compression import Compression


@pytest.mark.parametrize("name", ["estargz", "zstd:chunked"])
def test_layer_is_known_by_its_descriptor(name: str) -> None:
    """What was written decompresses to its diff ID, and says what it is."""
    out = io.BytesIO()
    tar = images.small_layer().tar()
    written = write_chunked(Compression(name, 3), io.BytesIO(tar), out, "layer")
    data = out.getvalue()
    assert (sha256_of(data), len(data)) == (written.digest, written.size)
    if name == "estargz":
        plain = gzip.decompress(data)
    else:
        reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
        plain = reader.read()
        assert plain == tar
    assert sha256_of(plain) == written.diff_id
    descriptor = Descriptor(written.media_type, written.digest, 1, written.annotations)
    assert chunked_name(descriptor) == name


def test_other_layers_are_not() -> None:
    """An annotation of something else says nothing."""
    assert chunked_name(Descriptor("t", sha256_of(b""), 0, {"a": "b"})) == ""
