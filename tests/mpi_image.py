"""An image with Debian's Open MPI and MPICH and a program for each, as a cluster's user has one.

Made of this machine's files, which contrib/bootstrap installed: the programs, what they are linked
with, and the plugins. The image's MPI is that of the host, then, as `mpirun` on the host asks for.
"""

import os
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_LIBRARIES = f"/usr/lib/{os.uname().machine}-linux-gnu"
_PROGRAMS = (
    *("/bin/sh", "/bin/cat", "/bin/sleep", "/bin/env", "/bin/readlink", "/usr/bin/id"),
    *("/usr/bin/orterun", "/usr/bin/orted", "/usr/bin/mpiexec.hydra", "/usr/bin/hydra_pmi_proxy"),
)
_FOLDERS = (
    *("/etc/openmpi", "/usr/share/openmpi", f"{_LIBRARIES}/openmpi", f"{_LIBRARIES}/pmix2"),
    f"{_LIBRARIES}/ucx",
)
_LINKS = {
    "bin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "usr/bin/mpirun.openmpi": "orterun",
    "usr/bin/mpirun": "orterun",
}

# Rank 0 and 1 throw a message of some megabytes to and fro; then all add their ranks up.
_PROGRAM = r"""
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    int rank, size, one, sum = 0, bytes = 4 << 20, rounds = argc > 1 ? atoi(argv[1]) : 2;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    char *buffer = malloc(bytes);
    memset(buffer, rank + 1, bytes);
    MPI_Barrier(MPI_COMM_WORLD);
    double time = MPI_Wtime();
    for (int i = 0; i < rounds && size > 1 && rank < 2; i++)
        MPI_Sendrecv_replace(buffer, bytes, MPI_CHAR, 1 - rank, 0, 1 - rank, 0, MPI_COMM_WORLD,
                             MPI_STATUS_IGNORE);
    time = MPI_Wtime() - time;
    one = rank + 1;
    MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (size > 1 && rank < 2 && buffer[bytes - 1] != (rounds % 2 ? 2 - rank : rank + 1))
        MPI_Abort(MPI_COMM_WORLD, 3);
    if (rank == 0) {
        printf("ranks %d sum %d\n", size, sum);
        fprintf(stderr, "MB/s %.0f\n", 2.0 * rounds * bytes / time / 1e6);
    }
    MPI_Finalize();
    return 0;
}
"""


def write_tar(path: Path, work: Path) -> None:
    """Write the root file system as a tar; `work` is an empty folder."""
    source = work / "ranks.c"
    source.write_text(_PROGRAM)
    built = {}
    for name in ("openmpi", "mpich"):
        binary = work / name
        subprocess.run([f"mpicc.{name}", "-O2", "-o", binary, source], check=True)
        built[f"usr/bin/ranks.{name}"] = binary
    plugins = [str(p) for folder in _FOLDERS for p in Path(folder).rglob("*.so")]
    needed = _linked_with([*_PROGRAMS, *map(str, built.values()), *plugins])
    with tarfile.open(path, "w", dereference=True) as tar:
        for link, target in _LINKS.items():
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
        for name, binary in built.items():
            tar.add(binary, name)
        for file in sorted({*_PROGRAMS, *needed}):
            tar.add(file, _below_usr(file))
        for folder in _FOLDERS:
            tar.add(folder, folder.lstrip("/"))
        tar.add("/etc/passwd", "etc/passwd")
        tar.add("/etc/group", "etc/group")


def _below_usr(path: str) -> str:
    name = path.lstrip("/")
    return name if name.startswith(("usr/", "etc/")) else f"usr/{name}"


def _linked_with(files: Iterable[str]) -> Iterator[str]:
    """Return the libraries of some programs, by the paths where the loader finds them."""
    done = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False)
    found = re.findall(r"(/[^\s:]+) \(0x", done.stdout)
    return (name for name in set(found) if os.path.exists(name))
