"""An image with Debian's Open MPI and MPICH and a program for each, as a cluster's user has one.

Made of this machine's files, which contrib/bootstrap installed: the image's MPI is the host's,
as `mpirun` on the host asks for.
"""

import subprocess
from pathlib import Path

import host_image
from host_image import LIBRARIES

_PROGRAMS = (
    *("/bin/sh", "/bin/cat", "/bin/sleep", "/bin/env", "/bin/readlink", "/usr/bin/id"),
    *("/bin/true", "/usr/bin/orterun", "/usr/bin/orted"),
    *("/usr/bin/mpiexec.hydra", "/usr/bin/hydra_pmi_proxy"),
)
_FOLDERS = (
    *("/etc/openmpi", "/usr/share/openmpi", f"{LIBRARIES}/openmpi", f"{LIBRARIES}/pmix2"),
    f"{LIBRARIES}/ucx",
)
_LINKS = {"usr/bin/mpirun.openmpi": "orterun", "usr/bin/mpirun": "orterun"}

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
    host_image.write_tar(path, _PROGRAMS, _FOLDERS, _LINKS, built)
