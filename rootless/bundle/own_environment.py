"""Which of the caller's variables make sense inside: those that do not speak of the host's files.

Three kinds. What says where the host's programs and libraries are, or belongs to the host's shell
or session, stays outside. What belongs to the job (the batch system's, MPI's, the devices that were
given) wins over the image's own variables. The others are there where the image has none of the
name. A name that ends in `*` stands for all that begin so.
"""

from collections.abc import Callable, Iterable, Mapping

_HOST_S = """
    PATH LD_* GCONV_PATH LOCPATH NLSPATH TERMCAP TERMINFO* MANPATH INFOPATH PKG_CONFIG_* CPATH
    C_INCLUDE_PATH CPLUS_INCLUDE_PATH OBJC_INCLUDE_PATH LIBRARY_PATH ACLOCAL_PATH CMAKE_PREFIX_PATH
    PYTHONHOME R_HOME JAVA_HOME GOROOT CONDA_* _CE_* MAMBA_* XDG_DATA_DIRS XDG_CONFIG_DIRS
    GIT_EXEC_PATH CUDA_HOME CUDA_PATH* CUDA_ROOT ROCM_PATH HIP_PATH
    MPI_HOME MPI_ROOT MKL_ROOT MKLROOT OMPI_CC OMPI_CXX OMPI_FC OPAL_PREFIX PMIX_INSTALL_PREFIX
    I_MPI_ROOT FI_PROVIDER_PATH
    MODULE* LMOD_* __LMOD* _ModuleTable* LOADEDMODULES* _LMFILES_* BASH_ENV BASH_FUNC_* ENV FPATH
    SPACK_* EBROOT* EBVERSION* EBDEVEL*
    _ SHELL SHELLOPTS BASHOPTS PS0 PS1 PS2 PS3 PS4 PROMPT_COMMAND
    HOSTNAME HOST container LESSOPEN LESSCLOSE SSH_AUTH_SOCK SSH_AGENT_PID
    XDG_RUNTIME_DIR XDG_SESSION_* XDG_SEAT* XDG_VTNR DBUS_* SESSION_MANAGER
    SUDO_* INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET LISTEN_* SYSTEMD_*
    ROOTLESS_* APPTAINER* SINGULARITY*
"""
# A job has these of its modules, as a rule; who calls a program by hand means them.
_SEARCHED = """
    PYTHON* PERL* RUBY* GEM_* R_LIBS* NODE_PATH CLASSPATH VIRTUAL_ENV*
    SSL_CERT_* CURL_CA_BUNDLE GIT_SSL_CAINFO PWD OLDPWD SHLVL MAIL LS_COLORS
"""

_OF_THE_JOB = """
    USER LOGNAME TMPDIR TZ TERM
    SLURM* SBATCH_* SRUN_* PBS* NCPUS FLUX_* LSB_* LSF_* LS_JOBPID LS_SUBCWD SGE_* JOB_ID JOB_NAME
    PE_HOSTFILE NSLOTS NHOSTS COBALT_* OAR_*
    PMI_* PMI2_* PMIX_* PALS_* ALPS_* OMPI_* PRTE_* ORTE_* HYDI_* HYDRA_* MPI_* MPIR_* MPICH_*
    MV2_* MVAPICH_* I_MPI_* MPIEXEC_*
    UCX_* UCC_* FI_* PSM2_* PSM3_* HFI_* RDMAV_* IBV_* SHARP_* NCCL_* RCCL_* GASNET_*
    OMP_* KMP_* GOMP_* MKL_* OPENBLAS_* HWLOC_*
    CUDA_* GPU_* ROCR_* HIP_* HSA_* ZE_* ONEAPI_DEVICE_SELECTOR
"""


def of_the_job(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return NAME=VALUE of what belongs to the job: it wins over the image's variables."""
    return _items(environ, lambda name: _OURS(name) and not _THEIRS(name))


def inherited(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return NAME=VALUE of the others that make sense inside; the image's variables win."""
    return _items(environ, lambda name: not _OURS(name) and not _THEIRS(name) and name != "HOME")


def passed(environ: Mapping[str, str], also: Iterable[str] = ()) -> tuple[str, ...]:
    """Return NAME=VALUE of all that a program expects which is called as one of the host's.

    Args:
        environ: The caller's variables.
        also: Names that are passed whatever they are.
    """
    kept = frozenset(also)
    return _items(environ, lambda name: name in kept or not _NOT_INSIDE(name))


def _items(environ: Mapping[str, str], wanted: Callable[[str], bool]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in environ.items() if wanted(name))


def _named(words: Iterable[str]) -> Callable[[str], bool]:
    exact = frozenset(word for word in words if not word.endswith("*"))
    prefixes = tuple(word[:-1] for word in words if word.endswith("*"))
    return lambda name: name in exact or name.startswith(prefixes)


_NOT_INSIDE = _named(_HOST_S.split())
_THEIRS = _named([*_HOST_S.split(), *_SEARCHED.split()])
_OURS = _named(_OF_THE_JOB.split())
