"""`run --hpc` as the other options of `run`, for what these leave open."""

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from rootless.bundle import batch, resources
from rootless.bundle.caller import HostUser, umask
from rootless.containers.request import RunRequest
from rootless.paths import Paths
from rootless.settings import load

_HOST = "host"
_DISABLED = "disabled"
_CGROUP = (
    *("cgroups", "cgroup_parent", "strict_resources"),
    *(field.name for field in fields(resources.ResourceOptions)),
)


def with_hpc(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options' values with what `--hpc` means where nothing else was said."""
    asked: dict[str, Any] = {"interactive": not given["detach"]}
    for name in ("pid", "ipc"):
        asked[name] = given[name] or _HOST
    if not any(given[name] for name in _CGROUP):
        asked["cgroups"] = _DISABLED  # it stays in the job's
    asked["umask"] = given["umask"] or f"{umask():03o}"
    return {**given, **asked}


def node_of(given: Mapping[str, Any]) -> batch.Node:
    """Return what this node has for the container; raises InvalidInput, StoreError."""
    paths = Paths.from_environment()
    home = HostUser.current().home
    node = batch.node(os.environ, home, map(str, load(paths.settings).hpc_folders or ()))
    return replace(node, fds=()) if given["detach"] else node


def on_node(request: RunRequest, node: batch.Node) -> RunRequest:
    """Return the request with what the node brings, which gives way to what was asked for."""
    options = request.options
    options = replace(
        options,
        mounts=(*options.left_open(node.mounts), *options.mounts),
        env=(*node.env, *options.env),
        inherited_env=node.inherited,
        workdir=options.workdir or node.workdir,
        shared=options.shared if request.cgroup else (*options.shared, "cgroup"),
    )
    return replace(
        request,
        options=options,
        devices=(*node.devices, *request.devices),
        job=batch.job_of(os.environ),
        passed_fds=node.fds,
    )
