"""The filter that a spec asks for, for the runtime's verbs: compiled, or out of the cache."""

from rootless.oci.linux_spec import LinuxSpec
from rootless.paths import Paths
from rootless.runtime.seccomp import SeccompFilter, load_library
from rootless.runtime.seccomp_cache import cached_filter


def filter_of(linux: LinuxSpec) -> SeccompFilter | None:
    """Return the filter; None where the spec has none. Raises Precondition, InvalidInput."""
    if linux.seccomp is None:
        return None
    folder = Paths.from_environment().runtime / "seccomp"
    return cached_filter(linux.seccomp, load_library(), folder)
