"""NVIDIA's devices without a CDI file: the driver's nodes, libraries and programs, by their names.

The kernel's driver works with libraries of its own version only, so that they are the host's
(`nvidia_files`).
"""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rootless.bundle import nvidia_files
from rootless.bundle.device_edits import DeviceEdits
from rootless.errors import InvalidInput, NotFound
from rootless.oci.runtime_spec import Mount
from rootless.settings import Settings

KIND = "nvidia.com/gpu"
INSIDE = "/usr/local/nvidia"

_OF_ALL = (
    *("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"),
    *("nvidia-caps", "nvidia-caps-imex-channels", "nvidia-fs"),
)
_SOCKETS = ("/run/nvidia-persistenced/socket", "/run/nvidia-fabricmanager/socket")
_FILES = ("/etc/OpenCL/vendors/nvidia.icd", "/etc/vulkan/icd.d/nvidia_icd.json")
_GPU = re.compile(r"nvidia([0-9]+)")
_UUID = re.compile(r"GPU UUID:\s*(\S+)")
_MINOR = re.compile(r"Device Minor:\s*([0-9]+)")
_OPTIONS = ("rbind", "rslave", "ro", "nosuid", "nodev")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, in the order of the PCI bus."""

    node: str
    uuid: str


def driver_root(settings: Settings) -> str:
    """Return where the settings have the driver; "" for the host's own root."""
    return str(settings.gpu_driver_root or "").rstrip("/")


def gpus(root: str = "") -> tuple[Gpu, ...]:
    """Return the GPUs of this host.

    Args:
        root: Where the driver has its /dev, /proc and libraries; "" for the host's own.
    """
    try:
        nodes = sorted(
            (int(match[1]), name)
            for name in os.listdir(f"{root}/dev")
            if (match := _GPU.fullmatch(name))
        )
    except OSError:
        return ()
    known = list(_information(f"{root}/proc/driver/nvidia/gpus"))
    order = [minor for minor, _ in known]
    uuids = dict(known)
    nodes.sort(key=lambda each: order.index(each[0]) if each[0] in order else len(order))
    return tuple(Gpu(f"/dev/{name}", uuids.get(minor, "")) for minor, name in nodes)


def _information(folder: str) -> Iterable[tuple[int, str]]:
    """Yield minor number and UUID of each GPU, by PCI address."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        try:
            with open(f"{folder}/{name}/information", encoding="utf-8", errors="replace") as file:
                text = file.read(1 << 16)
        except OSError:
            continue
        minor, uuid = _MINOR.search(text), _UUID.search(text)
        if minor is not None:
            yield int(minor[1]), uuid[1] if uuid is not None else ""


def edits(chosen: Sequence[str] | None, root: str = "", machine: str = "") -> DeviceEdits:
    """Return what GPUs bring.

    Args:
        chosen: Their numbers or UUIDs; None for all.
        root: As above.
        machine: The architecture; "" for this one's.

    Raises:
        NotFound: There is no such GPU.
    """
    found = gpus(root)
    taken = found if chosen is None else [_find(word, found) for word in chosen]
    shared = [f"/dev/{name}" for name in _OF_ALL if os.path.exists(f"{root}/dev/{name}")]
    nodes = [*(gpu.node for gpu in taken), *_files_of(shared, root)]
    libraries = nvidia_files.libraries(root, machine or os.uname().machine)
    mounts = [_file(f"{INSIDE}/lib64/{name}", path) for name, path in libraries.items()]
    programs = nvidia_files.programs(root)
    mounts += (_file(f"/usr/bin/{name}", path) for name, path in programs.items())
    there = (path for path in (*_SOCKETS, *_FILES) if os.path.exists(f"{root}{path}"))
    mounts += (_file(path, f"{root}{path}") for path in there)
    names = ",".join(gpu.uuid or gpu.node.removeprefix("/dev/nvidia") for gpu in taken)
    return DeviceEdits(
        nodes=tuple((f"{root}{node}", node) for node in nodes),
        mounts=tuple(mounts),
        env=(f"NVIDIA_VISIBLE_DEVICES={names}",),
        libraries=tuple((name, f"{INSIDE}/lib64/{name}") for name in libraries),
    )


def _file(inside: str, source: str) -> Mount:
    return Mount(inside, "bind", source, _OPTIONS)


def _find(word: str, found: Sequence[Gpu]) -> Gpu:
    for number, gpu in enumerate(found):
        if word == str(number) or (gpu.uuid and gpu.uuid.startswith(word) and "-" in word):
            return gpu
    if ":" in word:
        raise InvalidInput("a part of a GPU needs a CDI file", word, "nvidia-ctk cdi generate")
    raise NotFound("no such GPU", word, f"there are {len(found)}, numbered from 0")


def _files_of(paths: Iterable[str], root: str) -> Iterable[str]:
    """Yield the paths, and the files in those that are folders."""
    for path in paths:
        if os.path.isdir(f"{root}{path}"):
            yield from (f"{path}/{name}" for name in sorted(os.listdir(f"{root}{path}")))
        else:
            yield path
