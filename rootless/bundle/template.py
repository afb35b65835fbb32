"""The config.json that the OCI runtime's `spec` writes: what `runc spec` gives, in meaning."""

import os
from dataclasses import replace
from pathlib import Path

from rootless.bundle.default_spec import DEFAULT_PATH, MASKED_PATHS, READONLY_PATHS, default_mounts
from rootless.errors import Conflict, StoreError
from rootless.oci.linux_spec import IDMapping, LinuxSpec, Namespace
from rootless.oci.runtime_spec import Capabilities, Mount, Process, Rlimit, Spec, format_spec

_CAPABILITIES = ("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE")
_NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")
_ID_OPTIONS = ("uid=", "gid=")


def template(*, rootless: bool) -> Spec:
    """Return a spec to start from: a shell on a terminal in a read-only `rootfs`.

    `rootless` makes it one for the caller, who is root inside: his own user namespace with one
    ID, the host's network, and nothing that this lacks.
    """
    spec = Spec(
        process=Process(
            args=("sh",),
            env=(f"PATH={DEFAULT_PATH}", "TERM=xterm"),
            terminal=True,
            capabilities=Capabilities(_CAPABILITIES, _CAPABILITIES, _CAPABILITIES),
            rlimits=(Rlimit("RLIMIT_NOFILE", 1024, 1024),),
            no_new_privileges=True,
        ),
        root_readonly=True,
        hostname="rootless",
        mounts=default_mounts(64 << 20),
        linux=LinuxSpec(
            namespaces=tuple(Namespace(kind) for kind in _NAMESPACES),
            masked_paths=MASKED_PATHS,
            readonly_paths=READONLY_PATHS,
        ),
    )
    return _for_caller(spec) if rootless else spec


def write_template(folder: Path, rootless: bool) -> None:  # noqa: FBT001 - a verb's callback
    """Write the template as `folder`'s config.json; raises Conflict where there is one."""
    path = folder / "config.json"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(format_spec(template(rootless=rootless)))
    except FileExistsError:
        raise Conflict("there is a config.json already", str(path), "remove it first") from None
    except OSError as error:
        raise StoreError(f"cannot write: {error.strerror}", str(path)) from error


def _for_caller(spec: Spec) -> Spec:
    kinds = (*(kind for kind in _NAMESPACES if kind != "network"), "user")
    linux = replace(
        spec.linux,
        namespaces=tuple(Namespace(kind) for kind in kinds),
        uid_mappings=(IDMapping(0, os.geteuid(), 1),),
        gid_mappings=(IDMapping(0, os.getegid(), 1),),
    )
    return replace(spec, linux=linux, mounts=tuple(map(_mount_for_caller, spec.mounts)))


def _mount_for_caller(mount: Mount) -> Mount:
    """Return a mount that needs no other ID, and no network namespace of its own."""
    if mount.destination == "/sys":
        return Mount("/sys", "none", "/sys", ("rbind", "nosuid", "noexec", "nodev", "ro"))
    options = (option for option in mount.options if not option.startswith(_ID_OPTIONS))
    return replace(mount, options=tuple(options))
