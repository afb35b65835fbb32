"""Where a host has the libraries and programs of NVIDIA's driver.

The loader's cache (ldconfig(8)) says it of a distribution's package. An installer that keeps to a
folder of its own, as those of Kubernetes' nodes and NixOS do, is not in it: such folders are known,
and LD_LIBRARY_PATH names others.
"""

import os
import re
from collections.abc import Iterable, Iterator

from rootless.bundle import loader_cache
from rootless.bundle.elf_soname import soname

# The driver's, by soname. Not those of its container toolkit.
_LIBRARY = re.compile(
    r"(libcuda|libcudadebugger|libnvcuvid|libnvoptix|libnvidia-(?!container).*"
    r"|lib(GLX|EGL|GLESv1_CM|GLESv2)_nvidia|libvdpau_nvidia)\.so(\..*)?"
)
_PROGRAMS = (
    *("nvidia-smi", "nvidia-debugdump", "nvidia-persistenced"),
    *("nvidia-cuda-mps-control", "nvidia-cuda-mps-server"),
)
_FLAGS = {"x86_64": 0x0303, "aarch64": 0x0A03, "ppc64le": 0x0503}
_LIBRARY_FOLDERS = ("/usr/local/nvidia/lib64", "/run/opengl-driver/lib")
_PROGRAM_FOLDERS = ("/usr/bin", "/usr/local/nvidia/bin", "/run/current-system/sw/bin")


def libraries(root: str, machine: str) -> dict[str, str]:
    """Return the file of each library of the driver's, by its soname.

    Args:
        root: Where the driver is installed; "" for the host's own root.
        machine: The architecture, as uname(2) has it.
    """
    found: dict[str, str] = {}
    folders = [f"{root}{folder}" for folder in _LIBRARY_FOLDERS]
    if not root:
        folders += filter(os.path.isabs, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    for name, path in (*_in_cache(root, machine), *_in_folders(folders)):
        if name not in found and _LIBRARY.fullmatch(name) and os.path.exists(path):
            found[name] = os.path.realpath(path)
    return found


def _in_cache(root: str, machine: str) -> Iterator[tuple[str, str]]:
    try:
        with open(f"{root}/etc/ld.so.cache", "rb") as file:
            known = loader_cache.read(file.read())
    except (OSError, ValueError):
        return
    for each in known:
        if each.flags == _FLAGS.get(machine):
            yield os.fsdecode(each.name), f"{root}{os.fsdecode(each.path)}"


def _in_folders(folders: Iterable[str]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if _LIBRARY.fullmatch(name):
                path = f"{folder}/{name}"
                yield soname(path), path


def programs(root: str) -> dict[str, str]:
    """Return the file of each program of the driver's that there is, by name.

    A script in the place of one leads to a program of the host's that is elsewhere.
    """
    places = ((name, f"{root}{folder}/{name}") for folder in _PROGRAM_FOLDERS for name in _PROGRAMS)
    found: dict[str, str] = {}
    for name, path in places:
        if name not in found and _is_elf(path):
            found[name] = path
    return found


def _is_elf(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False
