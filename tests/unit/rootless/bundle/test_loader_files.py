"""How the loader learns of libraries."""

from rootless.bundle import loader_cache
from rootless.bundle.loader_files import CACHE, with_libraries
from rootless.bundle.options import RunOptions

LIBRARIES = (("liba.so.1", "/gpu/liba.so.1"), ("libb.so.1", "/gpu/libb.so.1"))
IMAGE_S = loader_cache.write([loader_cache.Library(b"libc.so.6", b"/lib/libc.so.6", 0x0303)])


def test_by_its_cache() -> None:
    """Where the image has one."""
    options, files = with_libraries(RunOptions(), (), LIBRARIES, {b"etc/ld.so.cache": IMAGE_S}.get)
    assert options == RunOptions()
    names = [each.name for each in loader_cache.read(files[CACHE])]
    assert set(names) == {b"libc.so.6", b"liba.so.1", b"libb.so.1"}


def test_by_the_variable() -> None:
    """Where the image has none, in front of what it names already."""
    image_env = ("LD_LIBRARY_PATH=/opt/lib",)
    options, files = with_libraries(RunOptions(), image_env, LIBRARIES, {}.get)
    assert options.env == ("LD_LIBRARY_PATH=/gpu:/opt/lib",)
    assert files == {}


def test_of_nothing() -> None:
    """Nothing is changed."""
    assert with_libraries(RunOptions(), (), (), {}.get) == (RunOptions(), {})
