"""/etc/ld.so.cache, read and written."""

import os
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.bundle import loader_cache
from rootless.bundle.loader_cache import LIBC, Library

FLAGS = 0x0303
C = Library(LIBC, b"/lib/libc.so.6", FLAGS)


def cache_of(folder: Path) -> bytes:
    """Return what ldconfig makes of a folder."""
    target = folder / "ld.so.cache"
    words = ["/sbin/ldconfig", "-X", "-C", target, "-f", "/dev/null", folder, "/lib", "/usr/lib"]
    subprocess.run(words, check=True, capture_output=True)
    return target.read_bytes()


def test_reads_what_ldconfig_writes(tmp_path: Path) -> None:
    """Its entries are those of ldconfig -p, in this order."""
    data = cache_of(tmp_path)
    printed = subprocess.run(
        ["/sbin/ldconfig", "-p", "-C", tmp_path / "ld.so.cache"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = [line.split()[0] for line in printed.splitlines() if " => " in line]
    assert [os.fsdecode(each.name) for each in loader_cache.read(data)] == names
    assert any(each.name == LIBC for each in loader_cache.read(data))


def test_the_order_is_ldconfig_s(tmp_path: Path) -> None:
    """What ldconfig has sorted is sorted by our rank, too."""
    names = [each.name for each in loader_cache.read(cache_of(tmp_path))]
    assert names == sorted(names, key=loader_cache.order, reverse=True)


def test_ldconfig_reads_what_is_written(tmp_path: Path) -> None:
    """With a library of ours in its place, and before one of the same name."""
    data = loader_cache.with_libraries(
        cache_of(tmp_path),
        [("libcuda.so.1", "/gpu/libcuda.so.1"), (LIBC.decode(), "/gpu/libc.so.6")],
    )
    assert data is not None
    (tmp_path / "new").write_bytes(data)
    printed = subprocess.run(
        ["/sbin/ldconfig", "-p", "-C", tmp_path / "new"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.strip() for line in printed.splitlines()]
    assert (
        "libcuda.so.1 (libc6,x86-64) => /gpu/libcuda.so.1" in lines
        or os.uname().machine != "x86_64"
    )
    assert next(line for line in lines if line.startswith("libc.so.6")).endswith("/gpu/libc.so.6")


names = st.binary(min_size=1, max_size=12).filter(lambda text: b"\0" not in text)


@given(st.lists(st.builds(Library, names, names, st.just(FLAGS)), max_size=20))
def test_what_is_written_is_read(libraries: list[Library]) -> None:
    """Every entry comes back."""
    found = loader_cache.read(loader_cache.write(libraries))
    assert sorted(found, key=repr) == sorted(libraries, key=repr)


def test_an_old_file_before_it() -> None:
    """The old format may precede, whose entries are passed over."""
    new = loader_cache.write([C])
    head = b"ld.so-1.7.0\0" + struct.pack("<I", 1) + bytes(12)
    assert loader_cache.read(head + bytes(-len(head) % 8) + new) == [C]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF" + bytes(100),
        loader_cache.write([C])[:-3],
        loader_cache.write([C])[:60],
        b"ld.so-1.7.0\0" + struct.pack("<I", 1 << 31) + bytes(99),
    ],
)
def test_what_is_damaged_is_refused(data: bytes) -> None:
    """An image's file may be anything."""
    with pytest.raises(ValueError, match=r"too short|cache|outside"):
        loader_cache.read(data)
    assert loader_cache.with_libraries(data, [("a", "/a")]) is None


def test_without_a_c_library() -> None:
    """Nothing tells which flags the image's libraries have."""
    assert loader_cache.with_libraries(loader_cache.write([]), [("a", "/a")]) is None
