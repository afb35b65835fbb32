"""Devices of a request: nodes, and what libraries come with them."""

from collections.abc import Callable

from rootless.bundle.options import RunOptions
from rootless.containers.request import RunRequest
from rootless.errors import InvalidInput
from rootless.oci.image_config import ImageConfig


def nodes(request: RunRequest) -> tuple[tuple[str, str], ...]:
    """Return the host's nodes to pass, (source, destination) each; raises InvalidInput."""
    more = () if request.edits is None else request.edits.nodes
    return (*map(_node, request.devices), *more)


def _node(text: str) -> tuple[str, str]:
    source, _, destination = text.partition(":")
    destination = destination.partition(":")[0] or source
    if not source.startswith("/dev/") or not destination.startswith("/"):
        raise InvalidInput("a device must have the form /dev/SOURCE[:DESTINATION]", text)
    return source, destination


def with_libraries(
    options: RunOptions,
    config: ImageConfig,
    request: RunRequest,
    read: Callable[[bytes], bytes | None],
) -> tuple[RunOptions, dict[str, bytes]]:
    """Return options and files by which the image's loader finds the devices' libraries.

    Args:
        options: What was asked for.
        config: The image's.
        request: Whose devices they are.
        read: Reads a file of the image.
    """
    if request.edits is None:
        return options, {}
    from rootless.bundle import loader_files  # noqa: PLC0415 - few have such

    return loader_files.with_libraries(options, config.env, request.edits.libraries, read)
