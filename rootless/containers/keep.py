"""From what was asked to a record: a new container, or one of that name that is to run again."""

import signal
from dataclasses import replace
from functools import partial

from rootless.bundle.root_emulation import ON
from rootless.containers import names, prepare, record, seccomp
from rootless.containers.container import HOST, Container, OverlayRoot
from rootless.containers.footing import folder_for_upperdirs
from rootless.containers.health_request import health_of
from rootless.containers.neighbour import network_of, pids_of
from rootless.containers.network.mode import Kind
from rootless.containers.network.plan import check_none_published
from rootless.containers.pid_mode import PidKind
from rootless.containers.policy import parse_signal
from rootless.containers.record import MadeFrom, Record
from rootless.containers.remove import remove
from rootless.containers.request import RunRequest
from rootless.containers.status import look
from rootless.containers.times import now
from rootless.errors import Conflict, NotFound
from rootless.image import lock
from rootless.image.holds import needs_of
from rootless.image.meant import resolve
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.digest import chain_id
from rootless.paths import Paths


def passing(paths: Paths, image_name: str, request: RunRequest) -> tuple[Record, tuple[str, ...]]:
    """Return a container that goes with its run, and what it needs; nothing is made yet."""
    store = Store.open(paths, create=False)
    image = resolve(store, image_name)
    container = _container(paths, store, image, request)
    made = _record(container, image, request, name=container.id[:12], kept=False)
    return made, needs_of(store, image)


def for_bundle(container: Container, request: RunRequest) -> Record:
    """Return the container of a bundle, which goes with its run."""
    made = Record(container.id, container.id[:12], now(), container, kept=False)
    return replace(made, labels=dict(request.labels), policy=request.policy)


def kept(paths: Paths, image_name: str, request: RunRequest, *, again: bool) -> Record:
    """Keep a container, and return its record.

    Args:
        paths: Where things lie.
        image_name: What the user calls the image.
        request: What was asked for.
        again: A container of that name is run once more, by this request, with its files.

    Raises:
        Conflict: The name is in use, by one that runs or was made from another image.
        NotFound, InvalidInput, Precondition, StoreError: As `prepare.from_image`.
    """
    if request.name:
        record.check_name(request.name)
    store = Store.open(paths, create=True)
    known = record.find_named(paths, request.name) if request.name else None
    if known is not None and request.replace:
        remove(paths, known)
        known = None
    # No collection comes between the look-up and the note of what is needed.
    with lock.shared(store.lock_path(lock.STORE_LOCK)):
        image = resolve(store, image_name)
        if known is not None and again:
            return _again(paths, store, image, request, known)
        container = _container(paths, store, image, request)
        made = _record(
            _with_upperdir(paths, container),
            image,
            request,
            name=request.name or names.invent(paths, container.id),
            kept=True,
        )
        record.create(paths, made, needs_of(store, image))
    return made


def _again(paths: Paths, store: Store, image: Image, request: RunRequest, known: Record) -> Record:
    if known.image.chain != str(chain_id(image.config.diff_ids)):
        raise Conflict(
            f"the container was made from another image, {known.image.name}",
            known.name,
            f"--replace starts afresh; 'rootless rm {known.name}' removes it",
        )
    container = _container(paths, store, image, request, known.id)
    root = container.root
    if isinstance(root, OverlayRoot):
        container = replace(container, root=replace(root, kept=record.upperdir_of(known)))
    made = _record(container, image, request, name=known.name, kept=True)
    with record.locked(paths, known):
        if look(paths, known).is_alive:
            raise Conflict("the container is running", known.name, "end it first, or exec in it")
        if not known.kept:
            raise NotFound("the container has just ended", known.name)
        made = replace(made, created=known.created)
        record.write(record.folder_of(paths, known), made)
    return made


def _container(
    paths: Paths, store: Store, image: Image, request: RunRequest, container_id: str = ""
) -> Container:
    if request.volumes_from:
        from rootless.containers.volumes_from import with_volumes  # noqa: PLC0415 - few have any

        request = with_volumes(request, partial(record.find, paths))
    network = None
    if request.network.kind is Kind.CONTAINER:
        check_none_published(request.network, request.ports_of(image.config))
        network = network_of(paths, record.find(paths, request.network.target))
    pid, pid_path = "", ""
    if request.pid.kind is PidKind.CONTAINER:
        pid, pid_path = pids_of(paths, record.find(paths, request.pid.target))
    elif request.pid.kind is PidKind.HOST:
        pid = HOST
    around = prepare.Around(network, pid, pid_path)
    container = prepare.from_image(store, image, request, container_id, around)
    options = request.options
    asked = bool(options.seccomp) or options.root_emulation == ON
    return seccomp.with_filter(container, paths, required=asked)


def _record(
    container: Container, image: Image, request: RunRequest, *, name: str, kept: bool
) -> Record:
    policy = request.policy
    if not policy.stop_signal:
        own = image.config.stop_signal
        policy = replace(policy, stop_signal=parse_signal(own) if own else int(signal.SIGTERM))
    policy = replace(policy, health=health_of(image.config.healthcheck, request.health))
    return Record(
        id=container.id,
        name=name,
        created=now(),
        container=container,
        image=MadeFrom(
            image.reference,
            image.config_digest,
            image.manifest_digest,
            chain_id(image.config.diff_ids),
        ),
        labels={**image.config.labels, **request.labels},
        policy=policy,
        kept=kept,
    )


def _with_upperdir(paths: Paths, container: Container) -> Container:
    """Say where a new container keeps its files: in the store, unless that cannot have them."""
    root = container.root
    if not isinstance(root, OverlayRoot) or root.kept is not None:
        return container
    own = paths.store / "containers"
    folder = folder_for_upperdirs(own, "containers") or own
    return replace(container, root=replace(root, kept=folder / container.id / "overlay"))
