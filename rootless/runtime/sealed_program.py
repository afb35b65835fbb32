"""The runner's interpreter as a file that nobody can write, for who enters a living container.

While a process of the runner becomes one of the container's, /proc/self/exe leads from in there to
its interpreter, a file of the host. A container that is alive can arrange for that to be executed,
keep it open and write to it afterwards (CVE-2019-5736), if the caller may: an interpreter in a home
is his. `runtime.program` looks for it beforehand, which is enough where nobody else runs in the
container yet. Where somebody does, such an interpreter runs from a sealed copy in memory
(memfd_create(2)); one of the system's needs no copy, and costs nothing.
"""

import fcntl
import os
import sys

_OWN = "/proc/self/exe"
_NAME = "rootless-interpreter"
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def seal_own_program() -> None:
    """Start this program once more from a sealed copy, if the caller may write to its file.

    Returns where there is no need to. Nothing may have been done yet that should not be done twice.
    """
    if os.readlink(_OWN).startswith(f"/memfd:{_NAME}") or not os.access(_OWN, os.W_OK):
        return
    fd = os.memfd_create(_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(_OWN, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        done = 0
        while done < size:
            done += os.sendfile(fd, file.fileno(), done, size - done)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    # By its own name in argv[0] the interpreter finds its library and virtual environment.
    os.execve(f"/proc/self/fd/{fd}", [sys.executable, *sys.orig_argv[1:]], os.environ)  # noqa: S606
