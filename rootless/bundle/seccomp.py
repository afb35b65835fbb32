"""`--security-opt seccomp=…`: which seccomp profile a container gets."""

import os
import re
from collections.abc import Collection
from dataclasses import replace

from rootless.errors import InvalidInput
from rootless.oci.document import parse_document
from rootless.oci.runtime_spec import Spec
from rootless.oci.seccomp_spec import SeccompSpec
from rootless.runtime.seccomp_profile import default_seccomp

UNCONFINED = "unconfined"


def with_seccomp(spec: Spec, asked: str, host: os.uname_result) -> Spec:
    """Return the spec with `linux.seccomp`: of a profile's file, or the default profile's.

    Raises InvalidInput for a file that is no profile.
    """
    if asked == UNCONFINED:
        return spec
    sets = spec.process.capabilities
    bounding = sets.bounding if sets is not None else ()
    if asked:
        found = read_profile(asked, bounding, host)
    else:
        found = default_seccomp(bounding, host.machine)
    return replace(spec, linux=replace(spec.linux, seccomp=found))


def read_profile(path: str, capabilities: Collection[str], host: os.uname_result) -> SeccompSpec:
    """Read a profile as Docker and podman have it; raises InvalidInput."""
    # What most runs have no use for is not imported.
    from rootless.oci.seccomp_profile import Host, parse_profile  # noqa: PLC0415

    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InvalidInput(
            f"cannot read the seccomp profile: {error.strerror}",
            path,
            f"a file, or seccomp={UNCONFINED}",
        ) from error
    profile = parse_profile(parse_document(data, path))
    return profile.resolve(Host(capabilities, host.machine, kernel_version(host.release)))


def kernel_version(release: str) -> tuple[int, int]:
    """Return version and patch level of uname(2)'s release; 0.0 where it has none."""
    match = re.match(r"(\d+)\.(\d+)", release)
    return (int(match[1]), int(match[2])) if match else (0, 0)
