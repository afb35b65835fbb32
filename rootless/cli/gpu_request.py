"""`run --gpus` and `--device vendor.com/class=name` as what they bring."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rootless.bundle import cdi, gpus, nvidia
from rootless.bundle.device_edits import merged
from rootless.containers.request import RunRequest
from rootless.oci.cdi_spec import is_qualified
from rootless.paths import Paths
from rootless.settings import load


def with_devices(request: RunRequest, given: Mapping[str, Any]) -> RunRequest:
    """Return the request with the devices' edits, which give way to what was asked for.

    Raises:
        InvalidInput, NotFound, Precondition: They are not there.
    """
    settings = load(Paths.from_environment().settings)
    specs, root = cdi.of_host(settings), nvidia.driver_root(settings)
    named = [text for text in request.devices if is_qualified(text)]
    found = [cdi.edits_of(named, specs)]
    found += [gpus.edits_of(gpus.parse_gpus(text), specs, root) for text in given["gpus"] or ()]
    edits = merged(found)
    options = request.options
    mounts = (*options.mounts, *options.left_open(edits.mounts))
    return replace(
        request,
        options=replace(options, mounts=mounts, env=(*edits.env, *options.env)),
        devices=tuple(text for text in request.devices if text not in named),
        edits=edits,
    )
