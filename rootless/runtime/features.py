"""`features`: what this runtime can do (runtime-spec features.md, features-linux.md)."""

from typing import Any

from rootless import __version__
from rootless.linux import capset
from rootless.oci.linux_spec import NAMESPACE_TYPES
from rootless.runtime.mount_options import known_options


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
        },
        "annotations": {"org.rootless.version": __version__},
    }
