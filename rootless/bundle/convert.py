"""From an image config and options to a config.json: image-spec conversion.md; pure."""

import posixpath

from rootless.bundle import default_spec
from rootless.bundle.options import RunOptions
from rootless.bundle.resources import cgroups_path
from rootless.bundle.users import ImageUser
from rootless.errors import InvalidInput
from rootless.oci.image_config import ImageConfig
from rootless.oci.linux_spec import IDMapping, LinuxSpec
from rootless.oci.runtime_spec import Mount, Process, Spec, User
from rootless.runtime.cgroups import STRICT_ANNOTATION


def convert(
    config: ImageConfig,
    options: RunOptions,
    user: ImageUser,
    container_id: str,
    mappings: tuple[tuple[IDMapping, ...], tuple[IDMapping, ...]] = ((), ()),
) -> Spec:
    """Return the spec of a container; raises InvalidInput where there is no command.

    Args:
        config: The image's config.
        options: What the user asked for; wins over the config.
        user: The workload's user, resolved in the image.
        container_id: 64 hexadecimal digits; names the host where nothing else does.
        mappings: uidMappings and gidMappings to write down.
    """
    namespaces = default_spec.default_namespaces(options.network, options.pid, options.shared)
    hostname = options.hostname or container_id[:12]
    return Spec(
        process=Process(
            args=_args(config, options),
            cwd=_working_directory(config, options),
            env=_environment(config, options, user, hostname),
            user=User(user.uid, user.gid, user.additional_gids, options.umask),
            terminal=options.terminal,
            rlimits=options.rlimits,
            oom_score_adj=options.oom_score_adj,
            capabilities=default_spec.capability_sets(
                options.cap_add, options.cap_drop, root=user.uid == 0
            ),
            no_new_privileges=options.no_new_privileges,
        ),
        root_readonly=options.read_only,
        hostname=hostname,
        mounts=_mounts(config, options),
        linux=LinuxSpec(
            namespaces=namespaces,
            uid_mappings=mappings[0],
            gid_mappings=mappings[1],
            masked_paths=() if options.privileged else default_spec.MASKED_PATHS,
            readonly_paths=() if options.privileged else default_spec.READONLY_PATHS,
            resources=options.resources,
            sysctl=options.sysctl,
            cgroups_path=cgroups_path(options.cgroup_parent, container_id),
        ),
        annotations={
            **_annotations(config, options),
            **_own_annotations(options),
            **options.annotations,
        },
    )


def _args(config: ImageConfig, options: RunOptions) -> tuple[str, ...]:
    if options.entrypoint is not None:
        args = (*options.entrypoint, *options.command)
    else:
        args = (*config.entrypoint, *(options.command or config.cmd))
    if not args:
        raise InvalidInput("the image names no command", "", "give one after the image's name")
    return args


def _working_directory(config: ImageConfig, options: RunOptions) -> str:
    if options.workdir and not options.workdir.startswith("/"):
        raise InvalidInput("--workdir must be an absolute path", options.workdir)
    return posixpath.normpath(posixpath.join("/", options.workdir or config.working_dir or "/"))


def _environment(
    config: ImageConfig, options: RunOptions, user: ImageUser, hostname: str
) -> tuple[str, ...]:
    merged = {
        "PATH": default_spec.DEFAULT_PATH,
        "container": "rootless",
        "HOSTNAME": hostname,
    }
    if options.terminal:
        merged["TERM"] = "xterm"
    for variable in (*options.inherited_env, *config.env):
        name, _, value = variable.partition("=")
        merged[name] = value
    merged.setdefault("HOME", user.home)
    for name in tuple(merged) if "*" in options.unset_env else options.unset_env:
        merged.pop(name, None)
    for variable in options.env:
        name, _, value = variable.partition("=")
        merged[name] = value
    return tuple(f"{name}={value}" for name, value in merged.items() if name)


def _mounts(config: ImageConfig, options: RunOptions) -> tuple[Mount, ...]:
    """Return the mounts, outer ones first, whatever the order in which they were asked for."""
    mounts = _default_mounts(options)
    if options.read_only:
        if options.read_only_tmpfs:
            mounts += default_spec.read_only_tmpfs_mounts()
        # "data SHOULD NOT be written to the root": where that cannot be, it needs a place
        writable = ("nosuid", "nodev", "tmpcopyup")
        mounts += [Mount(path, "tmpfs", "tmpfs", writable) for path in config.volumes]
    asked = [posixpath.normpath(mount.destination) for mount in options.mounts]
    twice = next((path for path in asked if asked.count(path) > 1), None)
    if twice is not None:
        raise InvalidInput("two mounts have the same destination", twice)
    kept = [mount for mount in mounts if posixpath.normpath(mount.destination) not in asked]
    return tuple(sorted((*kept, *options.mounts), key=_depth))


def _default_mounts(options: RunOptions) -> list[Mount]:
    """Return what every container has, as the host has it where its namespace is shared."""
    host = {}
    if options.pid == "host":
        host["/proc"] = default_spec.HOST_PROC
    if "ipc" in options.shared:
        host["/dev/shm"] = default_spec.HOST_SHM  # noqa: S108
    mounts = default_spec.default_mounts(options.shm_size)
    if "cgroup" in options.shared and options.network == "host":  # the host's /sys brings it
        mounts = tuple(mount for mount in mounts if mount.type != "cgroup")
    if options.privileged:
        mounts = default_spec.writable(mounts)
    return [host.get(mount.destination, mount) for mount in mounts]


def _depth(mount: Mount) -> int:
    return posixpath.normpath(mount.destination).count("/")


def _own_annotations(options: RunOptions) -> dict[str, str]:
    return {STRICT_ANNOTATION: "true"} if options.strict_resources else {}


def _annotations(config: ImageConfig, options: RunOptions) -> dict[str, str]:
    """conversion.md, "Annotation Fields"; labels win over what they would collide with."""
    prefix = "org.opencontainers.image"
    fields = {
        f"{prefix}.os": config.os,
        f"{prefix}.os.version": config.os_version,
        f"{prefix}.os.features": ",".join(config.os_features),
        f"{prefix}.architecture": config.architecture,
        f"{prefix}.variant": config.variant,
        f"{prefix}.author": config.author,
        f"{prefix}.created": config.created,
        f"{prefix}.stopSignal": config.stop_signal,
        f"{prefix}.exposedPorts": ",".join(dict.fromkeys((*config.exposed_ports, *options.expose))),
    }
    return {**{name: value for name, value in fields.items() if value}, **config.labels}
