"""`--sysctl`: kernel settings that a container has of its own, by its namespaces; pure.

Sources: network_namespaces(7), ipc_namespaces(7), uts_namespaces(7). What has no namespace is the
host's, and root's to set.
"""

import re
from collections.abc import Iterable

from rootless.errors import InvalidInput

_NAME = re.compile(r"[a-z][a-z0-9_-]*([./][A-Za-z0-9_:@-]+)+")
_NETWORK = ("net.",)
_IPC = ("kernel.shm", "kernel.msg", "kernel.sem", "kernel.auto_msgmni", "fs.mqueue.")
_KNOWN = "net.*, kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*"


def sysctls(texts: Iterable[str], *, network: bool, ipc: bool) -> dict[str, str]:
    """Return the settings by name; raises InvalidInput.

    Args:
        texts: NAME=VALUE each.
        network: The container has a network of its own.
        ipc: It has an IPC namespace of its own.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and _NAME.fullmatch(name)) or "\0" in value:
            raise InvalidInput("not a kernel setting", text, "--sysctl NAME=VALUE")
        dotted = name.replace("/", ".")
        if dotted.startswith(_NETWORK):
            _check(text, "network", "--network none or private gives it one", own=network)
        elif dotted.startswith(_IPC):
            _check(text, "IPC namespace", "leave --ipc host out", own=ipc)
        else:
            raise InvalidInput("the kernel has this setting once, for all", text, f"of {_KNOWN}")
        found[name] = value
    return found


def _check(text: str, kind: str, fix: str, *, own: bool) -> None:
    if not own:
        raise InvalidInput(f"the setting belongs to the host's {kind}", text, fix)
