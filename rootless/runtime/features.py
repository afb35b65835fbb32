"""`features`: what this runtime can do (runtime-spec features.md, features-linux.md)."""

from typing import Any

from rootless import __version__
from rootless.errors import Precondition
from rootless.linux import capset
from rootless.oci import seccomp_spec
from rootless.oci.linux_spec import NAMESPACE_TYPES
from rootless.runtime.mount_options import known_options
from rootless.runtime.seccomp import architecture, load_library


def features() -> dict[str, Any]:
    """Return the document."""
    return {
        "ociVersionMin": "1.0.0",
        "ociVersionMax": "1.2.0",
        "hooks": [
            "prestart",
            "createRuntime",
            "createContainer",
            "startContainer",
            "poststart",
            "poststop",
        ],
        "mountOptions": sorted(known_options()),
        "linux": {
            "namespaces": sorted(NAMESPACE_TYPES),
            "capabilities": list(capset.NAMES[: capset.last_capability() + 1]),
            "seccomp": _seccomp(),
        },
        "annotations": {"org.rootless.version": __version__},
    }


def _seccomp() -> dict[str, Any]:
    """Return features-linux.md, "seccomp": what this host's libseccomp can make."""
    try:
        library = load_library()
    except Precondition:
        return {"enabled": False}
    return {
        "enabled": True,
        "actions": list(seccomp_spec.ACTIONS),
        "operators": list(seccomp_spec.OPERATORS),
        "archs": [
            name for name in seccomp_spec.ARCHITECTURES if architecture(library, name) is not None
        ],
        "knownFlags": list(seccomp_spec.FLAGS),
        "supportedFlags": list(seccomp_spec.FLAGS),
    }
