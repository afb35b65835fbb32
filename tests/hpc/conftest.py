"""An image with MPI, in a store of its own, as a cluster's user has it."""

from pathlib import Path

import mpi_image
import pytest
from executable import Home, Rootless


@pytest.fixture(scope="session")
def mpi_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Give a user whose store holds the image `mpi`."""
    home = Home.make(tmp_path_factory.mktemp("mpi"))
    folder = tmp_path_factory.mktemp("image")
    (folder / "work").mkdir()
    mpi_image.write_tar(folder / "mpi.tar", folder / "work")
    Rootless(home).ok("import", folder / "mpi.tar", "mpi", timeout=120)
    (folder / "mpi.tar").unlink()
    return home


@pytest.fixture
def mpi(mpi_home: Home) -> Rootless:
    """The executable, in folders whose store holds `mpi`."""
    return Rootless(mpi_home)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A home of the test's own."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"
