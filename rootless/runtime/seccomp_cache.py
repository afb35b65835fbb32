"""Compiled seccomp filters, kept from one run to the next.

libseccomp takes some 25 ms for the default profile; to find the program here takes less than one. A
file is named by all that the program depends on. It is believed only where nobody else could have
written it, and only whole.
"""

import logging
import os
import stat
from pathlib import Path

from rootless.linux import seccomp as kernel
from rootless.linux.libseccomp import Libseccomp
from rootless.oci.digest import hex_of, sha256_of
from rootless.oci.seccomp_spec import SeccompSpec
from rootless.runtime.seccomp import SeccompFilter, compile_filter, flags_of

log = logging.getLogger(__name__)

_FORMAT = "1"  # what compile_filter makes of a spec
_MOST_FILES = 32
_DIGEST_BYTES = 32
_MOST_BYTES = kernel.MOST_INSTRUCTIONS * kernel.INSTRUCTION_BYTES
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cached_filter(spec: SeccompSpec, library: Libseccomp, folder: Path) -> SeccompFilter:
    """Return the filter of a spec, out of `folder` where it is there; keep it there where not."""
    path = folder / _key(spec, library)
    program = _read(path)
    if program is not None:
        return SeccompFilter(program, flags_of(spec))
    made = compile_filter(spec, library)
    try:
        _write(path, made.program)
    except OSError as error:  # a full or read-only file system costs time, and nothing else
        log.debug("cannot keep the seccomp filter: %s", error)
    return made


def _key(spec: SeccompSpec, library: Libseccomp) -> str:
    facts = (_FORMAT, library.version(), os.uname().machine, repr(spec))
    return hex_of(sha256_of("\0".join(facts).encode()))


def _read(path: Path) -> bytes | None:
    """Return the program in a file: its digest, then itself; None for anything else."""
    try:
        if not _is_ours_alone(os.lstat(path.parent)):
            return None
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or not _is_ours_alone(found):
            return None
        data = os.read(fd, _DIGEST_BYTES + _MOST_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(fd)
    digest, program = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if not 0 < len(program) <= _MOST_BYTES or len(program) % kernel.INSTRUCTION_BYTES:
        return None
    return program if _digest(path, program) == digest else None


def _digest(path: Path, program: bytes) -> bytes:
    """Return what a file begins with: a file under another's name is not believed either."""
    return bytes.fromhex(hex_of(sha256_of(path.name.encode() + program)))


def _is_ours_alone(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_WRITE


def _write(path: Path, program: bytes) -> None:
    for folder in (path.parent.parent, path.parent):  # the mode is that of the last one made
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_ours_alone(os.lstat(path.parent)):
        return
    _make_room(path.parent)
    temp = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        temp.write_bytes(_digest(path, program) + program)
        temp.chmod(0o600)
        temp.rename(path)
    finally:
        temp.unlink(missing_ok=True)


def _make_room(folder: Path) -> None:
    """Remove all where there are many: specs that change with each container are not kept for."""
    paths = list(folder.iterdir())
    if len(paths) >= _MOST_FILES:
        for path in paths:
            path.unlink(missing_ok=True)
