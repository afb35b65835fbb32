"""`--gpus`: which GPUs, and by which of three ways: CDI files, NVIDIA's driver, AMD's nodes."""

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rootless.bundle import cdi, nvidia
from rootless.bundle.device_edits import DeviceEdits
from rootless.errors import InvalidInput, NotFound, Precondition
from rootless.oci.cdi_spec import CdiSpec

_SPELLINGS = "all, a number of GPUs, a UUID, or device=NUMBER|UUID,…"
_WORD = re.compile(r"[A-Za-z0-9:._-]+")
_AMD_KIND = "amd.com/gpu"
_ALL = "all"


@dataclass(frozen=True, slots=True)
class GpuChoice:
    """One value of `--gpus`.

    Attributes:
        count: So many, the first ones; None where they are named.
        devices: Numbers or UUIDs; empty with no count means all.
    """

    count: int | None = None
    devices: tuple[str, ...] = ()


def parse_gpus(text: str) -> GpuChoice:
    """Read a value as docker and podman have it; raises InvalidInput."""
    text = text.strip("\"'")
    if text == _ALL:
        return GpuChoice()
    if text.isascii() and text.isdecimal() and len(text) < 4:
        return GpuChoice(int(text))
    words = _devices(text)
    if not words or not all(_WORD.fullmatch(word) for word in words):
        raise InvalidInput("not a choice of GPUs", text, _SPELLINGS)
    if _ALL in words:
        return GpuChoice()
    return GpuChoice(None, tuple(dict.fromkeys(words)))


def _devices(text: str) -> list[str]:
    """Return what follows `device=`; what else docker has there says nothing here."""
    words: list[str] = []
    is_device = True
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if equals:
            is_device = name in ("device", "count")
            if name == "count" and value in ("-1", _ALL):
                return [_ALL]
            if name not in ("device", "driver", "capabilities"):
                raise InvalidInput("not a choice of GPUs", text, _SPELLINGS)
        if is_device:
            words.append((value if equals else part).strip("\"'"))
    return words


def edits_of(
    choice: GpuChoice, specs: Sequence[Sequence[CdiSpec]], driver_root: str = ""
) -> DeviceEdits:
    """Return what the chosen GPUs bring.

    Args:
        choice: Which.
        specs: The CDI files of the host.
        driver_root: Where NVIDIA's driver is installed; "" for the host's own root.

    Raises:
        Precondition: There are no GPUs here.
        NotFound: Not these.
    """
    if choice.count == 0:
        return DeviceEdits()
    for kind in (nvidia.KIND, _AMD_KIND):
        names = cdi.names_of(kind, specs)
        if names:
            return cdi.edits_of((f"{kind}={name}" for name in _named(choice, names)), specs)
    found = nvidia.gpus(driver_root)
    if found:
        chosen = None if choice == GpuChoice() else _numbers(choice, len(found))
        return nvidia.edits(chosen, driver_root)
    return _amd(choice)


def _named(choice: GpuChoice, names: Sequence[str]) -> Sequence[str]:
    """Return the names of CDI devices; `all` is one of them, or stands for each."""
    if choice == GpuChoice():
        return [_ALL] if _ALL in names else names
    return _numbers(choice, sum(name.isdecimal() for name in names) or len(names))


def _numbers(choice: GpuChoice, there: int) -> Sequence[str]:
    if choice.count is None:
        return choice.devices
    if choice.count > there:
        raise NotFound(f"not so many GPUs: {choice.count}", "--gpus", f"there are {there}")
    return [str(number) for number in range(choice.count)]


def _amd(choice: GpuChoice, dev: str = "/dev") -> DeviceEdits:
    """AMD's driver is in the kernel: its nodes are all that an image with ROCm lacks."""
    renders = sorted(glob.glob(f"{dev}/dri/renderD*"))
    if not (os.path.exists(f"{dev}/kfd") and renders):
        raise Precondition(
            "no GPU is found",
            "--gpus",
            "there is neither a CDI file nor a /dev/nvidia0 nor a /dev/kfd",
            check="gpu",
        )
    chosen = renders
    if choice != GpuChoice():
        words = _numbers(choice, len(renders))
        if not all(word.isdecimal() and int(word) < len(renders) for word in words):
            raise NotFound("no such GPU", ",".join(words), f"there are {len(renders)}, from 0 on")
        chosen = [renders[int(word)] for word in words]
    nodes = [f"{dev}/kfd", *chosen]
    if chosen == renders:
        nodes += sorted(glob.glob(f"{dev}/dri/card*"))
    return DeviceEdits(nodes=tuple((node, f"/dev{node.removeprefix(dev)}") for node in nodes))
