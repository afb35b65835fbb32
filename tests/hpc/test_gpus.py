"""GPUs in containers, by stand-ins: nodes that are files, a driver's library built here."""

import json
import subprocess
from pathlib import Path

import gpus
import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.both_users]

# A program as CUDA's are: it asks the loader for the driver's library by its name.
_PROGRAM = """
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    if (!library) { puts(dlerror()); return 1; }
    printf("driver %d\\n", ((int (*)(void))dlsym(library, "driver"))());
    return 0;
}
"""


@pytest.fixture
def driver(demo_alone: Rootless) -> Path:
    """Give a driver's root, which the settings name, with a program for it in `work`."""
    home = demo_alone.home.path / "home"
    root = demo_alone.home.path / "driver"
    gpus.make_driver(root)
    config = home / ".config" / "rootless" / "config.toml"
    config.parent.mkdir(parents=True)
    cdi = demo_alone.home.path / "cdi"
    cdi.mkdir()
    config.write_text(f'gpu_driver_root = "{root}"\ncdi_folders = ["{cdi}"]\n')
    work = demo_alone.home.path / "work"
    work.mkdir()
    (work / "p.c").write_text(_PROGRAM)
    subprocess.run(["gcc", "-o", work / "program", work / "p.c"], check=True)
    return root


def run(rootless: Rootless, *options: str, script: str) -> str:
    """Run a script with the program's folder at /work."""
    volume = ("-v", f"{rootless.home.path}/work:/work:ro")
    return rootless.ok("run", *volume, *options, "debian-demo", "sh", "-c", script)


@pytest.mark.parametrize("options", [(), ("--read-only",), ("--hpc",)])
def test_the_driver_s_library_is_found(
    demo_alone: Rootless, driver: Path, options: tuple[str, ...]
) -> None:
    """By the image's loader, with nothing in LD_LIBRARY_PATH; the image's libraries still are."""
    assert driver.exists()
    script = (
        "echo ${LD_LIBRARY_PATH-none}; /work/program; nvidia-smi; cat /dev/null; ls / >/dev/null"
    )
    out = run(demo_alone, "--gpus", "all", *options, script=script)
    assert out == "none\ndriver 535\nsmi\n"


def test_nodes_of_those_that_were_chosen(demo_alone: Rootless, driver: Path) -> None:
    """One by number, one by UUID; the control nodes with either."""
    assert driver.exists()
    script = "cd /dev; ls -d nvidia*; echo $NVIDIA_VISIBLE_DEVICES"
    first = run(demo_alone, "--gpus", "1", script=script).split()
    assert first == ["nvidia-caps", "nvidia-uvm", "nvidia1", "nvidiactl", gpus.UUIDS[0]]
    second = run(demo_alone, "--gpus", f"device={gpus.UUIDS[1]}", script=script).split()
    assert second == ["nvidia-caps", "nvidia-uvm", "nvidia0", "nvidiactl", gpus.UUIDS[1]]
    assert run(demo_alone, script=f"{script} 2>/dev/null").strip() == ""


def test_a_cdi_device(demo_alone: Rootless, driver: Path) -> None:
    """Its variable, node and library, by --device and, for NVIDIA's kind, by --gpus."""
    edits = {
        "env": ["VENDOR=yes"],
        "deviceNodes": [{"path": "/dev/vendor0", "hostPath": "/dev/zero"}],
        "mounts": [
            {
                "hostPath": f"{driver}/usr/lib/libcuda.so.535",
                "containerPath": "/usr/lib/vendor/libcuda.so.535",
                "options": ["ro", "nosuid", "nodev", "bind"],
            }
        ],
        "hooks": [
            {
                "hookName": "createContainer",
                "path": "/usr/bin/nvidia-cdi-hook",
                "args": ["nvidia-cdi-hook", "update-ldcache", "--folder", "/usr/lib/vendor"],
            }
        ],
    }
    devices = [{"name": "0", "containerEdits": edits}]
    document = {"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu", "devices": devices}
    (demo_alone.home.path / "cdi" / "nvidia.json").write_text(json.dumps(document))
    words = ("echo $VENDOR", "head -c 3 /dev/vendor0 | wc -c", "/work/program", "ls /dev | grep nv")
    for options in (("--device", "nvidia.com/gpu=0"), ("--gpus", "all")):
        assert (
            run(demo_alone, *options, script=f"{'; '.join(words)}; true") == "yes\n3\ndriver 535\n"
        )


def test_what_there_is_not(demo_alone: Rootless, driver: Path) -> None:
    """One line, and nothing runs."""
    assert driver.exists()
    ran = demo_alone("run", "--gpus", "3", "debian-demo", "true")
    assert (ran.status, ran.stderr) == (
        125,
        "rootless: not so many GPUs: 3: --gpus (there are 2)\n",
    )
    ran = demo_alone("run", "--device", "vendor.com/net=0", "debian-demo", "true")
    assert ran.status == 125
    assert ran.stderr.startswith("rootless: no such CDI device: vendor.com/net=0 (no file in ")
