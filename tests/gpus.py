"""Stand-ins for a GPU's driver: a root with nodes, libraries and a loader's cache, all of files."""

import subprocess
from pathlib import Path

from rootless.bundle import loader_cache
from rootless.bundle.loader_cache import Library

UUIDS = ("GPU-aaaa1111-0000", "GPU-bbbb2222-0000")
_FLAGS = 0x0303
_LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1", "libnvidia-container.so.1", "libother.so.1")
_SOURCE = "int driver(void) { return 535; }\n"


def build_library(path: Path, soname: str) -> None:
    """Build a shared library of that name."""
    source = path.parent / "driver.c"
    source.write_text(_SOURCE)
    words = ["gcc", "-shared", "-fPIC", f"-Wl,-soname,{soname}", "-o", path, source]
    subprocess.run(words, check=True)
    source.unlink()


def make_driver(root: Path) -> None:
    """Make a root with NVIDIA's driver for two GPUs; the first on the bus is nvidia1."""
    for folder in ("dev/nvidia-caps", "etc", "usr/lib", "usr/bin", "proc/driver/nvidia/gpus"):
        (root / folder).mkdir(parents=True)
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-caps/nvidia-cap1"):
        (root / "dev" / name).touch()
    for minor, bus in ((1, "0000:01:00.0"), (0, "0000:81:00.0")):
        folder = root / "proc/driver/nvidia/gpus" / bus
        folder.mkdir()
        uuid = UUIDS[1 - minor]
        (folder / "information").write_text(f"GPU UUID: \t {uuid}\nDevice Minor: \t {minor}\n")
    entries = [Library(b"libcuda.so.1", b"/usr/lib32/libcuda.so.1", 3)]
    for name in _LIBRARIES:
        real = root / "usr/lib" / f"{name.rpartition('.')[0]}.535"
        build_library(real, name)
        (root / "usr/lib" / name).symlink_to(real.name)
        entries.append(Library(name.encode(), f"/usr/lib/{name}".encode(), _FLAGS))
    (root / "etc/ld.so.cache").write_bytes(loader_cache.write(entries))
    smi = root / "smi.c"
    smi.write_text('#include <stdio.h>\nint main(void) { puts("smi"); return 0; }\n')
    subprocess.run(["gcc", "-o", root / "usr/bin/nvidia-smi", smi], check=True)
    smi.unlink()
