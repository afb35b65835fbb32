"""Which of the caller's variables come along."""

import pytest

from rootless.bundle import own_environment


@pytest.mark.parametrize(
    "name",
    [
        *("SLURM_JOB_ID", "SLURMD_NODENAME", "PBS_JOBID", "FLUX_URI", "PMI_FD", "PMIX_RANK"),
        *("OMPI_COMM_WORLD_RANK", "MPICH_OFI_IFNAME", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"),
        *("UCX_TLS", "USER", "TMPDIR"),
    ],
)
def test_of_the_job(name: str) -> None:
    """What the batch system, MPI or the devices say wins over the image."""
    assert own_environment.of_the_job({name: "a=b"}) == (f"{name}=a=b",)
    assert own_environment.inherited({name: "a=b"}) == ()


@pytest.mark.parametrize("name", ["LANG", "LC_ALL", "EDITOR", "MY_OPTION", "http_proxy", "DISPLAY"])
def test_inherited(name: str) -> None:
    """What is neither the job's nor the host's gives way to the image."""
    assert own_environment.inherited({name: "1"}) == (f"{name}=1",)
    assert own_environment.of_the_job({name: "1"}) == ()


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PERL5LIB", "CONDA_PREFIX"),
        *("MODULEPATH", "LOADEDMODULES", "BASH_FUNC_module%%", "XDG_RUNTIME_DIR", "HOSTNAME"),
        *("PWD", "CUDA_HOME", "OPAL_PREFIX", "ROOTLESS_HOME", "HOME"),
    ],
)
def test_outside(name: str) -> None:
    """What speaks of the host's files or session stays outside; HOME comes with the home."""
    assert own_environment.inherited({name: "1"}) == ()
    assert own_environment.of_the_job({name: "1"}) == ()


def test_passed() -> None:
    """A program that is called by hand gets what its caller set, also where a job would not."""
    given = {"PYTHONPATH": "src", "PWD": "/w", "SLURM_JOB_ID": "1", "EDITOR": "vi", "TERM": "x"}
    host_s = {"PATH": "/bin", "LD_PRELOAD": "x", "ROOTLESS_HOME": "/r", "SSH_AUTH_SOCK": "/s"}
    expected = tuple(f"{name}={value}" for name, value in given.items())
    assert own_environment.passed({**given, **host_s}) == expected
    both = own_environment.passed({**given, **host_s}, ["SSH_AUTH_SOCK"])
    assert both == (*expected, "SSH_AUTH_SOCK=/s")
