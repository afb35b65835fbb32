"""Run stress-ng's file stressors over both drivers, one after the other, verified by itself.

    python tests/suites/stress_ng.py --seconds 5 --on fuse hybrid native

A line for each stressor. Then the kernel is made to forget every name that it keeps, and our server
must be back to the files that it had open at first; its memory is printed.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import images
from suites.subjects import OURS, SUBJECTS, Subject, memory, run_on

from rootless.linux import mount_api

_STRESSORS = """
    access chmod chown copy-file dentry dir dirdeep dirmany dup fallocate fcntl fiemap filename
    flock fpunch fstat getdent handle hdd iomix link locka lockf lockofd mknod mmap open
    readahead rename revio seek sendfile symlink sync-file touch utime xattr
"""
_PASSED, _SKIPPED = 0, 4


def stress(stressors: Sequence[str], seconds: int, subject: Subject) -> list[str]:
    """Run every stressor in a directory of the layer; return a line for each."""
    lines = []
    first = (
        subject.root / "srv/first"
    )  # once it is read, the server has opened what it needs itself
    first.write_bytes(bytes(1 << 20))
    first.read_bytes()
    first.unlink()
    files = _files(subject)
    for name in stressors:
        command = ["stress-ng", f"--{name}", "2", "--verify", "--metrics-brief"]
        command += ["--timeout", f"{seconds}s", "--temp-path", str(subject.root / "srv")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        verdict = {_PASSED: "passed", _SKIPPED: "not possible here"}.get(done.returncode, "FAILED")
        lines.append(f"{name}: {verdict}{_operations(done.stdout + done.stderr, name)}")
        if verdict == "FAILED":
            words = ("fail", "error")
            said = (done.stdout + done.stderr).splitlines()
            lines += [line for line in said if any(word in line for word in words)][:8]
    left = sorted(os.listdir(subject.root / "srv"))
    lines.append(f"left behind: {' '.join(left)}" if left else "left behind: nothing")
    if subject.server:
        lines.append(_settled(subject, files))
    return lines


def _operations(said: str, name: str) -> str:
    """Return the number of operations that the metrics tell."""
    for line in said.splitlines():
        words = line.split()
        if name in words and words[-1].replace(".", "").isdigit():
            return f", {words[words.index(name) + 1]} operations"
    return ""


def _settled(subject: Subject, before: list[str]) -> str:
    """Make the kernel forget, and compare the server's open files with those at first."""
    for mounted in (subject.root, subject.lower):
        if mounted is not None:  # a remount drops all names that nobody uses
            mount_api.mount(None, str(mounted), None, mount_api.MS_REMOUNT)
    deadline = time.monotonic() + 10
    while len(_files(subject)) > len(before) and time.monotonic() < deadline:
        time.sleep(0.1)
    after = _files(subject)
    verdict = "as before"
    if len(after) > len(before):
        verdict = f"FAILED, before {len(before)}; new: {list(Counter(after) - Counter(before))}"
    return f"server: {len(after)} open files, {verdict}; {memory(subject.server) >> 20} MiB"


def _files(subject: Subject) -> list[str]:
    """Return what the server has open."""
    if not subject.server:
        return []
    files = []
    for fd in Path(f"/proc/{subject.server}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has been closed meanwhile
            files.append(os.readlink(fd))
    return files


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--on", nargs="+", choices=SUBJECTS, default=OURS)
    parser.add_argument("--in", dest="folder", default="/var/tmp", help="on which file system")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--stressors", nargs="+", default=_STRESSORS.split())
    options = parser.parse_args()
    layer = images.LayerBuilder().directory("srv")
    failed = False
    for name in options.on:
        body = partial(stress, options.stressors, options.seconds)
        with tempfile.TemporaryDirectory(prefix="rootless-suite-", dir=options.folder) as folder:
            lines = run_on(name, Path(folder), layer, body)
        failed |= any("FAILED" in line for line in lines)
        print(*(f"{name}: {line}" for line in lines), sep="\n", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
