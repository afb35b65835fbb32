"""A container as `inspect` shows it: the names and the form are podman's where it has them."""

from pathlib import Path
from typing import Any

from rootless.containers import record as records
from rootless.containers.container import Container
from rootless.containers.listing import Listed, ports_of
from rootless.containers.log_file import LOG
from rootless.containers.record import Record
from rootless.containers.status import CREATED, EXITED
from rootless.linux.process_id import ProcessId
from rootless.oci.runtime_spec import Mount
from rootless.paths import Paths

_NEVER = "0001-01-01T00:00:00Z"
_READ_ONLY = "ro"
_EXPOSED = "org.opencontainers.image.exposedPorts"


def details(paths: Paths, each: Listed) -> dict[str, Any]:
    """Return the whole description of a container."""
    record = each.record
    process = record.container.spec.process
    folder = records.folder_of(paths, record)
    upperdir = records.upperdir_of(record)
    return {
        "Id": record.id,
        "Name": record.name,
        "Created": record.created,
        "Path": process.args[0],
        "Args": list(process.args[1:]),
        "State": _state(each),
        "Image": record.image.config_digest.partition(":")[2],
        "ImageName": record.image.name,
        "ImageDigest": record.image.manifest_digest,
        "Mounts": [_mount(mount) for mount in record.container.spec.mounts if _is_asked(mount)],
        "Config": {
            "Hostname": record.container.spec.hostname,
            "Image": record.image.name,
            "User": f"{process.user.uid}:{process.user.gid}",
            "Tty": process.terminal,
            "OpenStdin": record.container.interactive,
            "Env": list(process.env),
            "Cmd": list(process.args),
            "WorkingDir": process.cwd,
            "Labels": dict(record.labels),
            "Annotations": dict(record.container.spec.annotations),
            "ExposedPorts": {port: {} for port in _exposed(record)},
            "StopSignal": record.policy.stop_signal,
            "StopTimeout": record.policy.stop_timeout,
            "Umask": f"{process.user.umask if process.user.umask is not None else 0o022:04o}",
        },
        "HostConfig": _host_config(record, folder),
        "NetworkSettings": {"Ports": _ports(record)},
        "GraphDriver": {
            "Name": "overlay",
            "Data": {"UpperDir": "" if upperdir is None else str(upperdir / "upper")},
        },
        "OCIConfigPath": str(folder / "config.json"),
    }


def _state(each: Listed) -> dict[str, Any]:
    status = each.status
    live, last = status.live, status.last
    started = live.started if live is not None else last.started if last is not None else ""
    state: dict[str, Any] = {
        "Status": status.word,
        "Running": status.word not in (CREATED, EXITED),
        "Pid": _pid(live.workload if live is not None else None),
        "InitPid": _pid(live.init if live is not None else None),
        "ConmonPid": _pid(live.runner if live is not None else None),
        "ExitCode": last.exit_code if last is not None else 0,
        "Error": last.error if last is not None else "",
        "StartedAt": started or _NEVER,
        "FinishedAt": (last.finished if last is not None else "") or _NEVER,
        "RestartCount": live.restarts if live is not None else last.restarts if last else 0,
        "LogError": live.log_error if live is not None else last.log_error if last else "",
    }
    if live is not None and live.health:
        state["Health"] = {"Status": live.health}
    return state


def _host_config(record: Record, folder: Path) -> dict[str, Any]:
    return {
        "RestartPolicy": {
            "Name": record.policy.restart,
            "MaximumRetryCount": record.policy.most_restarts,
        },
        "Privileged": record.container.privileged,
        "PidMode": _pid_mode(record.container),
        "AutoRemove": record.policy.remove or not record.kept,
        "ReadonlyRootfs": record.container.spec.root_readonly,
        "LogConfig": {
            "Type": "k8s-file",
            "Path": str(folder / LOG) if record.kept else "",
            "Size": record.policy.log_bytes,
            "Files": record.policy.log_files,
        },
    }


def _exposed(record: Record) -> list[str]:
    """Return the ports that it listens on, as the image and `--expose` have said."""
    text = record.container.spec.annotations.get(_EXPOSED, "")
    return [port for port in text.split(",") if port]


def _ports(record: Record) -> dict[str, list[dict[str, str]]]:
    """Return where each published port is reached."""
    found: dict[str, list[dict[str, str]]] = {}
    for inner, outer in ports_of(record):
        address, _, port = outer.rpartition(":")
        found.setdefault(inner, []).append({"HostIp": address.strip("[]"), "HostPort": port})
    return found


def _pid_mode(container: Container) -> str:
    return f"container:{container.pid}" if container.joins_pids else container.pid or "private"


def _pid(process: ProcessId | None) -> int:
    return process.pid if process is not None else 0


def _is_asked(mount: Mount) -> bool:
    """Tell whether a mount brings something of the host's, or was asked for."""
    return mount.type == "bind" or "bind" in mount.options or "rbind" in mount.options


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": mount.source,
        "Destination": mount.destination,
        "Options": list(mount.options),
        "RW": _READ_ONLY not in mount.options,
    }
