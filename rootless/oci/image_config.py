"""Image configs: OCI image-spec, config.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rootless.oci.descriptor import Platform
from rootless.oci.digest import Digest
from rootless.oci.document import MAX_CONFIG_BYTES, Node, parse_document


@dataclass(frozen=True, slots=True)
class History:
    """How one layer, or an empty step, came to be."""

    created: str = ""
    created_by: str = ""
    comment: str = ""
    author: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """How Docker's images say whether they are well; times are nanoseconds, 0 for the default."""

    test: tuple[str, ...] = ()
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image says about itself and about the process to run in it."""

    diff_ids: tuple[Digest, ...]
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    architecture: str = ""
    os: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()
    variant: str = ""
    created: str = ""
    author: str = ""
    history: tuple[History, ...] = ()
    healthcheck: Healthcheck | None = None

    @property
    def platform(self) -> Platform | None:
        """What the image is for; None where it does not say."""
        if not self.architecture:
            return None
        return Platform(self.os, self.architecture, self.variant)


def parse_image_config(data: bytes) -> ImageConfig:
    """Read an image config; raises InvalidInput with the path of the fault."""
    node = parse_document(data, "image config", limit=MAX_CONFIG_BYTES)
    process = node.get("config") or Node({}, node.document, "config")
    rootfs = node.require("rootfs")
    if rootfs.text("type", "layers") != "layers":
        raise rootfs.require("type").fault("is not 'layers'")
    items = rootfs.get("diff_ids")
    diff_ids = () if items is None else tuple(item.as_digest() for item in items.items())
    return ImageConfig(
        diff_ids=diff_ids,
        env=process.texts("Env"),
        entrypoint=_words(process, "Entrypoint"),
        cmd=_words(process, "Cmd"),
        working_dir=process.text("WorkingDir"),
        user=process.text("User"),
        labels=process.mapping("Labels"),
        exposed_ports=_keys(process, "ExposedPorts"),
        volumes=_keys(process, "Volumes"),
        stop_signal=process.text("StopSignal"),
        architecture=node.text("architecture"),
        os=node.text("os"),
        os_version=node.text("os.version"),
        os_features=node.texts("os.features"),
        variant=node.text("variant"),
        created=node.text("created"),
        author=node.text("author"),
        history=_history(node),
        healthcheck=_healthcheck(process),
    )


def _healthcheck(process: Node) -> Healthcheck | None:
    found = process.get("Healthcheck")
    if found is None:
        return None
    return Healthcheck(
        test=found.texts("Test"),
        interval=found.number("Interval", 0),
        timeout=found.number("Timeout", 0),
        start_period=found.number("StartPeriod", 0),
        retries=found.number("Retries", 0),
    )


def _words(node: Node, key: str) -> tuple[str, ...]:
    """Return an argument list; some builders write a lone string for a list of one."""
    found = node.get(key)
    if found is not None and isinstance(found.value, str):
        return (found.as_text(),)
    return node.texts(key)


def _keys(node: Node, key: str) -> tuple[str, ...]:
    """Return the names of a Go set: an object whose values mean nothing and may be null."""
    found = node.get(key)
    if found is None:
        return ()
    if not isinstance(found.value, dict):
        raise found.fault("is not an object")
    return tuple(sorted(found.key(name) for name in found.value))


def _history(node: Node) -> tuple[History, ...]:
    items = node.get("history")
    if items is None:
        return ()
    return tuple(
        History(
            created=item.text("created"),
            created_by=item.text("created_by"),
            comment=item.text("comment"),
            author=item.text("author"),
            empty_layer=item.get("empty_layer") is not None
            and item.require("empty_layer").value is True,
        )
        for item in items.items()
    )
