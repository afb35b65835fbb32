"""What the keeper of a container adds to it, done by the supervisor in the user namespace."""

from pathlib import Path
from typing import Protocol

from rootless.containers.run_folder import RunFolder
from rootless.oci.runtime_spec import Spec


class Furnishing(Protocol):
    """Mounts that no spec can ask for, and what is made of the files that the workload wrote.

    All of it is called in the supervisor, a forked child of who made the object.
    """

    def furnish(self, folder: RunFolder, spec: Spec) -> Spec:
        """Mount in the run's folder what is to be seen besides; return the spec that binds it."""
        ...

    def close(self) -> None:
        """Take it down; called whatever has happened."""
        ...

    def collect(self, upper: Path) -> None:
        """Read what a workload that ended with status 0 has written; nothing is mounted by now."""
        ...
