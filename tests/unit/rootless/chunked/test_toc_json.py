"""`rootless.chunked.toc_json`: entries as they are written, and read again."""

import io
import json

import images
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.chunked import fields
from rootless.chunked.tar_parts import TarParts
from rootless.chunked.toc_json import entry_fields, toc_bytes


def written(layer: images.LayerBuilder) -> list[dict[str, object]]:
    """Return the entries of a layer as they are in the JSON."""
    parts = TarParts(io.BytesIO(layer.tar()), "layer")
    entries: list[dict[str, object]] = json.loads(toc_bytes([entry_fields(p) for p in parts]))[
        "entries"
    ]
    return entries


def test_one_of_each_kind() -> None:
    """Names as tar has them, numbers where their kind has them."""
    entries = {str(each["name"]): each for each in written(images.small_layer())}
    assert entries["./"]["type"] == "dir"
    assert entries["bin/"] | {"modtime": ""} == {
        "name": "bin/",
        "type": "dir",
        "modtime": "",
        "mode": 0o755,
        "uid": 0,
        "gid": 0,
    }
    assert entries["bin/dash"]["linkName"] == "bin/sh"
    assert entries["bin/dash"]["type"] == "hardlink"
    assert (entries["dev/null"]["devMajor"], entries["dev/null"]["devMinor"]) == (1, 3)
    assert entries["etc/mtab"]["linkName"] == "/proc/mounts"
    assert entries["run/pipe"]["type"] == "fifo"
    assert entries["usr/bin/ping"]["xattrs"] == {
        "security.capability": "AQAAAgAgAAAAAAAAAAAAAAAAAAA="
    }


def test_names_that_are_no_text_survive() -> None:
    """They come back byte for byte."""
    (entry,) = written(images.LayerBuilder().symlink(b"a\xff\xc3\xa9", b"\xfe"))
    assert fields.name_bytes(entry, "name") == b"a\xff\xc3\xa9"
    assert fields.name_bytes(entry, "linkName") == b"\xfe"


@settings(database=None, max_examples=100)
@given(st.integers(min_value=-(1 << 63) + 1, max_value=(1 << 63) - 1))
def test_times_survive(time_ns: int) -> None:
    """All that a layer can have, to the nanosecond."""
    sign = b"-" if time_ns < 0 else b""
    text = sign + b"%d.%09d" % divmod(abs(time_ns), 10**9)
    (entry,) = written(images.LayerBuilder().file("a", pax=[(b"mtime", text)]))
    assert fields.time_ns(entry, "modtime") == time_ns
