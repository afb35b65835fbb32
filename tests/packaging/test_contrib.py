"""The rest of contrib/, read by the programs that it is for."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONTRIB = Path(__file__).resolve().parents[2] / "contrib"
SCRIPTS = [
    path
    for path in sorted(CONTRIB.rglob("*"))
    if path.is_file() and re.match(rb"#!/bin/(ba)?sh\n", path.read_bytes()[:16])
]
PREFIX = "/sw/rootless/0.1.0"
# contrib/bootstrap unpacks the first: Debian does not install both.
MODULECMD = Path(sys.prefix).parent / "environment-modules/usr/lib/modulecmd.tcl"
LOADERS = {
    "environment-modules": ("tcl", f'module() {{ eval "$(tclsh {MODULECMD} bash "$@")"; }}'),
    "lmod": ("lua", ". /usr/share/lmod/lmod/init/bash"),
}


def said(*words: str | Path, **environ: str) -> str:
    """Run a program, expect status 0, return all that it said."""
    done = subprocess.run(
        words,
        env={"PATH": f"{os.defpath}:/usr/sbin:/sbin", "LANG": "C.UTF-8", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_shell_scripts() -> None:
    """Shellcheck has no error and no warning."""
    assert len(SCRIPTS) > 8
    said("shellcheck", "--severity=warning", "-x", "-P", "SCRIPTDIR", *SCRIPTS)


@pytest.mark.parametrize("loader", LOADERS)
def test_module_files(loader: str, tmp_path: Path) -> None:
    """Loading one puts commands and manual in the paths, and unloading takes them out again."""
    language, init = LOADERS[loader]
    folder = tmp_path / "modules/rootless"
    folder.mkdir(parents=True)
    suffix = ".lua" if language == "lua" else ""
    shutil.copy(CONTRIB / f"modulefiles/rootless.{language}", folder / f"0.1.0{suffix}")
    script = f"""
        {init}
        module use {tmp_path}/modules
        module load rootless && echo "<$PATH> <$MANPATH>"
        module whatis rootless 2>&1
        module help rootless 2>&1
        module unload rootless && echo "<$PATH>"
    """
    text = said("bash", "-c", script, HOME=str(tmp_path), USER="ann")
    loaded, unloaded = re.findall(r"^<([^>]*)>", text, re.MULTILINE)
    assert loaded.split(":")[0] == f"{PREFIX}/bin", text
    assert f"<{PREFIX}/share/man" in text
    assert PREFIX not in unloaded
    assert "without a daemon" in text
    assert "rootless run --hpc" in text


def test_units(tmp_path: Path) -> None:
    """Systemd reads them all, and finds the command where an installation puts it."""
    command = tmp_path / ".local/rootless/bin/rootless"
    command.parent.mkdir(parents=True)
    command.symlink_to("/bin/true")
    units = sorted(path for path in (CONTRIB / "systemd").iterdir())
    words = ("systemd-analyze", "verify", "--user", "--man=no", *units)
    assert said(*words, HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path)) == ""


def test_apparmor_profile(tmp_path: Path) -> None:
    """The parser takes it. One of before 4.0 knows no `userns`, and is given the rest."""
    text = (CONTRIB / "apparmor/rootless").read_text()
    version = re.search(r"version (\d+)", said("apparmor_parser", "--version"))
    assert version is not None
    if int(version[1]) < 4:
        text, taken = re.subn(r"^(abi <abi/4\.0>|  userns),\n", "", text, flags=re.MULTILINE)
        assert taken == 2
    (tmp_path / "rootless").write_text(text)
    said("apparmor_parser", "-Q", "-K", tmp_path / "rootless")


def test_playbook(tmp_path: Path) -> None:
    """Ansible reads it, and says what it would change on this machine."""
    own = {"HOME": str(tmp_path), "ANSIBLE_HOME": str(tmp_path / "ansible")}
    own["ANSIBLE_LOCALHOST_WARNING"] = "False"
    words = ["ansible-playbook", "-i", "localhost,", "-c", "local", "-e", "ansible_become=false"]
    words += ["-e", f"rootless_prefix={tmp_path}/prefix", f"{CONTRIB}/ansible/rootless.yml"]
    text = said(*words, "--check", **own)
    assert re.search(r"localhost +: ok=\d+ +changed=[1-9]\d* +unreachable=0 +failed=0", text), text
