"""From the words of `rootless run`'s options to a checked request."""

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rootless.bundle import environment, parse, resources, root_emulation, volumes
from rootless.bundle.name_files import Dns
from rootless.bundle.options import DEFAULT_SHM_SIZE, RunOptions
from rootless.containers.health_request import HealthRequest
from rootless.containers.network.mode import Kind, NetworkMode, parse_mode
from rootless.containers.network.ports import PortMapping, parse_publish
from rootless.containers.pid_mode import parse_pid_mode
from rootless.containers.policy import (
    DEFAULT_STOP_TIMEOUT,
    Policy,
    log_options,
    parse_restart,
    parse_signal,
    seconds,
)
from rootless.containers.request import RunRequest
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Mount

_RESOURCES = tuple(field.name for field in fields(resources.ResourceOptions))
# What a config.json says itself.
_NOT_WITH_BUNDLE = (
    *("entrypoint", "workdir", "user", "umask", "ulimit", "annotation"),
    *("env_host", "unsetenv", "unsetenv_all", "tz", "sysctl", "oom_score_adj", "attach"),
    *("hostname", "add_host", "no_hosts", "dns", "dns_search", "dns_option", "network", "publish"),
    *("publish_all", "expose", "volumes_from"),
    *("pid", "ipc", "hpc", "gpus", "pull", "lazy", "platform", "tls_verify", "authfile"),
    *("verify_key", "signature_policy"),
    *("name", "replace", "remove", "detach", "restart", "stop_signal", "stop_timeout", "log_opt"),
    *("read_only_tmpfs", "cap_add", "cap_drop", "security_opt", "shm_size", "root_emulation"),
    "privileged",
    *("cgroup_parent", "strict_resources", "native", "share", *_RESOURCES),
)
_SPELLED = {"remove": "rm"}
# `--entrypoint ""` and `--no-read-only-tmpfs` ask for something.
_NONE_IF_LEFT_OUT = ("entrypoint", "read_only_tmpfs")


def run_request(given: Mapping[str, Any]) -> tuple[str, RunRequest]:
    """Return the image's name, "" for a bundle, and the request; raises InvalidInput, NotFound.

    Args:
        given: The options' values as the command line has them, by parameter; what was not
            given is None, "", False or empty.
    """
    words = _texts(given, "words")
    if given["bundle"]:
        _check_bundle_options(given)
        image, command = "", words
    elif words and words[0]:
        image, command = words[0], words[1:]
    else:
        raise InvalidInput("no image given", "", "rootless run IMAGE [COMMAND]...")
    if given["replace"] and not given["name"]:
        raise InvalidInput("--replace needs --name", "", "it starts a named container afresh")
    if given["no_hosts"] and given["add_host"]:
        raise InvalidInput("--no-hosts and --add-host exclude each other")
    if given["sig_proxy"] and not given["attach"]:
        raise InvalidInput("--sig-proxy needs --attach", given["sig_proxy"])
    if given["share"] and not given["native"]:
        raise InvalidInput("--share needs --native", ",".join(given["share"]), "or use --volume")
    ports = tuple(map(parse_publish, _texts(given, "publish")))
    if given["privileged"]:
        from rootless.cli import privileged_request  # noqa: PLC0415 - what most have no use for

        given = privileged_request.with_privileged(given)
    if given["native"]:
        from rootless.cli import native_request  # noqa: PLC0415 - what most runs have no use for

        request = _request(native_request.with_native(given), command, ports)
        request = native_request.on_host(request, given)
    elif given["hpc"]:
        from rootless.cli import hpc_request  # noqa: PLC0415 - as above

        request = _request(hpc_request.with_hpc(given), command, ports)
        request = hpc_request.on_node(request, hpc_request.node_of(given))
    else:
        request = _request(given, command, ports)
    if given["gpus"] or any("=" in text for text in request.devices):
        from rootless.cli import gpu_request  # noqa: PLC0415 - as above

        request = gpu_request.with_devices(request, given)
    return image, request


def _request(
    given: Mapping[str, Any], command: tuple[str, ...], ports: tuple[PortMapping, ...]
) -> RunRequest:
    return RunRequest(
        options=_run_options(given, command),
        userns=given["userns"],
        uidmap=_texts(given, "uidmap"),
        gidmap=_texts(given, "gidmap"),
        driver=given["overlay_driver"],
        overlay=given["overlay"],
        name=given["name"],
        replace=given["replace"],
        policy=_policy(given),
        health=_health(given),
        detach=given["detach"],
        labels=_labels(given),
        cidfile=given["cidfile"],
        pidfile=given["pidfile"],
        interactive=given["interactive"],
        add_hosts=_texts(given, "add_host"),
        no_hosts=given["no_hosts"],
        dns=Dns(_texts(given, "dns"), _texts(given, "dns_search"), _texts(given, "dns_option")),
        network=_network(given),
        ports=ports,
        publish_all=given["publish_all"],
        volumes_from=_texts(given, "volumes_from"),
        pid=parse_pid_mode(given["pid"]),
        devices=_texts(given, "device"),
        cgroup=resources.uses_cgroup(given["cgroups"]),
        as_caller=(given["native"] or given["hpc"])
        and not (given["user"] or given["userns"] or given["uidmap"]),
    )


def _health(given: Mapping[str, Any]) -> HealthRequest:
    return HealthRequest(
        command=given["health_cmd"],
        none=given["no_healthcheck"],
        interval=given["health_interval"],
        timeout=given["health_timeout"],
        start_period=given["health_start_period"],
        retries=given["health_retries"],
    )


def _policy(given: Mapping[str, Any]) -> Policy:
    restart, most = parse_restart(given["restart"] or "no")
    if restart != "no" and given["remove"]:
        raise InvalidInput("--rm and --restart exclude each other", given["restart"])
    if restart != "no" and not given["detach"]:
        raise InvalidInput("--restart needs --detach", given["restart"], "or create and start")
    log_bytes, log_files = log_options(_texts(given, "log_opt"))
    timeout = given["stop_timeout"]
    return Policy(
        restart=restart,
        most_restarts=most,
        stop_signal=parse_signal(given["stop_signal"]) if given["stop_signal"] else 0,
        stop_timeout=seconds(timeout, "--stop-timeout") if timeout else DEFAULT_STOP_TIMEOUT,
        remove=given["remove"],
        log_bytes=log_bytes,
        log_files=log_files,
    )


def _labels(given: Mapping[str, Any]) -> dict[str, str]:
    files = (each for path in _texts(given, "label_file") for each in environment.read_file(path))
    pairs = (text.partition("=") for text in (*files, *_texts(given, "label")))
    labels = {key: value for key, _, value in pairs}
    if "" in labels:
        raise InvalidInput("a label must have the form KEY=VALUE", f"={labels['']}")
    return labels


def _network(given: Mapping[str, Any]) -> NetworkMode:
    """Return the network asked for; ports are published from a private one, unless told."""
    if given["network"]:
        return parse_mode(given["network"])
    return NetworkMode(Kind.PRIVATE if given["publish"] or given["publish_all"] else Kind.HOST)


def _check_bundle_options(given: Mapping[str, Any]) -> None:
    for name in _NOT_WITH_BUNDLE:
        value = given[name]
        if value or (name in _NONE_IF_LEFT_OUT and value is not None):
            option = _SPELLED.get(name, name).replace("_", "-")
            raise InvalidInput(
                f"--{option} has no effect on a bundle", given["bundle"], "edit its config.json"
            )


def _run_options(given: Mapping[str, Any], command: tuple[str, ...]) -> RunOptions:
    _check_cgroup_options(given)
    return RunOptions(
        command=command,
        entrypoint=parse.entrypoint(given["entrypoint"]),
        env=_environment(given),
        inherited_env=tuple(environment.expand(("*",), os.environ)) if given["env_host"] else (),
        unset_env=("*",) if given["unsetenv_all"] else _texts(given, "unsetenv"),
        time_zone=parse.time_zone(given["tz"]),
        workdir=given["workdir"],
        user=given["user"],
        group_add=_texts(given, "group_add"),
        umask=parse.umask(given["umask"]),
        rlimits=tuple(parse.rlimit(text) for text in _texts(given, "ulimit")),
        oom_score_adj=parse.oom_score(given["oom_score_adj"]),
        sysctl=_sysctl(given),
        hostname=given["hostname"],
        expose=_expose(given),
        mounts=_mounts(given),
        read_only=given["read_only"],
        read_only_tmpfs=given["read_only_tmpfs"] is not False,
        terminal=given["tty"],
        cap_add=_texts(given, "cap_add"),
        cap_drop=_texts(given, "cap_drop"),
        privileged=given["privileged"],
        no_new_privileges=parse.no_new_privileges(_texts(given, "security_opt")),
        seccomp=parse.seccomp(_texts(given, "security_opt")),
        shared=parse.ipc(given["ipc"]),
        root_emulation=root_emulation.parse_mode(given["root_emulation"] or root_emulation.AUTO),
        shm_size=parse.size(given["shm_size"]) if given["shm_size"] else DEFAULT_SHM_SIZE,
        annotations=dict(parse.annotation(text) for text in _texts(given, "annotation")),
        resources=resources.resources_of(
            resources.ResourceOptions(**{name: given[name] for name in _RESOURCES})
        ),
        cgroup_parent=given["cgroup_parent"],
        strict_resources=given["strict_resources"],
    )


def _sysctl(given: Mapping[str, Any]) -> Mapping[str, str]:
    texts = _texts(given, "sysctl")
    if not texts:
        return {}
    from rootless.bundle.sysctl import sysctls  # noqa: PLC0415 - few runs name any

    return sysctls(
        texts,
        network=_network(given).kind in (Kind.NONE, Kind.PRIVATE),
        ipc=not parse.ipc(given["ipc"]),
    )


def _expose(given: Mapping[str, Any]) -> tuple[str, ...]:
    texts = _texts(given, "expose")
    if not texts:
        return ()
    from rootless.containers.network.exposed import parse_expose  # noqa: PLC0415 - as above

    return tuple(map(parse_expose, texts))


def _check_cgroup_options(given: Mapping[str, Any]) -> None:
    if resources.uses_cgroup(given["cgroups"]):
        return
    for name in ("cgroup_parent", "strict_resources", *_RESOURCES):
        if given[name]:
            option = f"--{name.replace('_', '-')}"
            raise InvalidInput(f"{option} needs a cgroup", "--cgroups=disabled", "leave one out")


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(given[name] or ())


def _environment(given: Mapping[str, Any]) -> tuple[str, ...]:
    files = [item for path in _texts(given, "env_file") for item in environment.read_file(path)]
    return tuple(environment.expand([*files, *_texts(given, "env")], os.environ))


def _mounts(given: Mapping[str, Any]) -> tuple[Mount, ...]:
    binds, mounts = _texts(given, "volume"), _texts(given, "mount")
    folder = os.getcwd() if binds or mounts else "/"  # one that was removed concerns nobody else
    return (
        *(volumes.parse_volume(text, folder) for text in binds),
        *(volumes.parse_mount(text, folder) for text in mounts),
        *(volumes.parse_tmpfs(text) for text in _texts(given, "tmpfs")),
    )
