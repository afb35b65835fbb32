"""From what was asked to a container: look up, resolve, decide; nothing is made yet."""

import os
import pwd
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rootless.bundle import name_files as names_inside
from rootless.bundle import root_emulation
from rootless.bundle.convert import convert
from rootless.bundle.options import RunOptions
from rootless.bundle.seccomp import with_seccomp
from rootless.bundle.users import (
    ImageUser,
    group_of_caller,
    group_with,
    passwd_of_caller,
    passwd_with,
    resolve_user,
)
from rootless.containers import devices, locality
from rootless.containers.container import Container, OverlayRoot, PlainRoot
from rootless.containers.joined import NETWORK, PID, Joined
from rootless.containers.lazy_layers import fetch_accounts
from rootless.containers.network import plan
from rootless.containers.network.network import JOINED, Network
from rootless.containers.request import RunRequest
from rootless.errors import Conflict, InvalidInput
from rootless.image import trees
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.oci.linux_spec import IDMapping
from rootless.oci.runtime_spec import Mount, Spec
from rootless.overlay.driver import check_driver
from rootless.runtime import namespaces
from rootless.runtime.user_namespace import id_map_of
from rootless.userns.idmap import IDMap
from rootless.userns.join import maps_of, read_maps
from rootless.userns.maps import MapRequest, Maps, choose_maps
from rootless.userns.subid import Caller

if TYPE_CHECKING:
    from rootless.bundle.bundle import Bundle
    from rootless.bundle.caller import HostUser

KEEP_GROUPS = "keep-groups"


@dataclass(frozen=True, slots=True)
class Around:
    """What a container has of other containers, or of the host, looked up.

    Attributes:
        network: That of another container, joined; None where the request plans it.
        pid: As `Container.pid`.
        pid_path: Of the PID namespace to join; "" for none.
    """

    network: Network | None = None
    pid: str = ""
    pid_path: str = ""

    @property
    def pid_for_spec(self) -> str:
        """Return what the bundle says of its PID namespace: "private", "host" or ns:PATH."""
        return f"ns:{self.pid_path}" if self.pid_path else self.pid or "private"


def from_image(
    store: Store,
    image: Image,
    request: RunRequest,
    container_id: str = "",
    around: Around | None = None,
) -> Container:
    """Return a container of an image; raises NotFound, InvalidInput, Precondition.

    Args:
        store: Where the image is.
        image: The image.
        request: What was asked for.
        container_id: That of one which is to run again; a new one else.
        around: What it has of other containers, or of the host.
    """
    check_driver(request.driver)
    options = request.options
    keep_groups = KEEP_GROUPS in options.group_add
    named = tuple(name for name in options.group_add if name != KEEP_GROUPS)
    options = replace(options, group_add=named)
    fetch_accounts(store, image)

    def read(path: bytes) -> bytes | None:
        return trees.read_file(store, image, path)

    around = around or Around()
    network = around.network or plan.plan(request.network, request.ports_of(image.config))
    options = replace(options, network=plan.word_for_spec(network), pid=around.pid_for_spec)
    joined = _joined_maps(network, around.pid_path, request)
    user, maps = _user_and_maps(image, options, request, read, joined)
    options = locality.with_place(options, store, image, as_caller=request.as_caller)
    options, loader = devices.with_libraries(options, image.config, request, read)
    container_id = container_id or _new_id()
    options = replace(options, hostname=options.hostname or _hostname(options, container_id))
    spec = convert(image.config, options, user, container_id, mappings_of(maps))
    spec = with_seccomp(spec, options.seccomp, os.uname())
    name_files = _name_files(spec, request, network) | _user_files(request, user, read) | loader
    if root_emulation.is_wanted(_emulation(options), user.uid, single=maps.single):
        has_apt = trees.has_folder(store, image, root_emulation.APT_FOLDER)
        spec = _with_root_emulation(spec, name_files, has_apt=has_apt)
    return Container(
        id=container_id,
        spec=spec,
        maps=maps,
        root=_overlay_root(store, image, request),
        interactive=request.interactive,
        keep_groups=keep_groups,
        devices=devices.nodes(request),
        privileged=options.privileged,
        cgroup=request.cgroup,
        name_files=name_files,
        network=network,
        pid=around.pid,
        job=request.job,
        in_session=request.in_session,
    )


def _new_id() -> str:
    return os.urandom(32).hex()  # as `secrets` has it, which brings hmac and OpenSSL


def _emulation(options: RunOptions) -> str:
    """Return the mode: who names a filter, or none, has it as it is, unless he asks for both."""
    named = bool(options.seccomp) and options.root_emulation == root_emulation.AUTO
    return root_emulation.OFF if named else options.root_emulation


def _with_root_emulation(spec: Spec, name_files: dict[str, bytes], *, has_apt: bool) -> Spec:
    spec = root_emulation.with_root_emulation(spec)
    if not has_apt:
        return spec
    name_files[root_emulation.APT_FILE] = root_emulation.APT_CONFIG
    return root_emulation.with_apt_config(spec)


def _joined_maps(network: Network, pid_path: str, request: RunRequest) -> Maps | None:
    """Return the maps of the user namespace that what is joined belongs to, None for new ones."""
    paths = {PID: pid_path} if pid_path else {}
    if network.kind == JOINED:
        paths[NETWORK] = network.path
    if not paths:
        return None
    if request.userns or request.uidmap or request.gidmap:
        raise InvalidInput(
            f"an ID map cannot be chosen with a joined {next(iter(paths))} namespace",
            next(iter(paths.values())),
            "the container has the user namespace that it belongs to",
        )
    with Joined() as joined:
        for kind, path in paths.items():
            joined.open(kind, path)
        return read_maps(joined.user_fd, Caller.current())


def _hostname(options: RunOptions, container_id: str) -> str:
    return socket.gethostname() if options.network == "host" else container_id[:12]


def _user_and_maps(
    image: Image,
    options: RunOptions,
    request: RunRequest,
    read: Callable[[bytes], bytes | None],
    joined: Maps | None,
) -> tuple[ImageUser, Maps]:
    caller = Caller.current()
    if request.as_caller:
        text, request = f"{caller.uid}:{caller.gid}", replace(request, userns="single")
    else:
        text = options.user or image.config.user
    keep_id = request.userns.startswith("keep-id")
    if keep_id and not options.user:
        # as podman has it: keep-id runs the workload as the caller
        maps = choose_maps(MapRequest(request.userns, request.uidmap, request.gidmap), caller)
        text = f"{maps.user_uid}:{maps.user_gid}"
    user = resolve_user(text, read(b"etc/passwd"), read(b"etc/group"), options.group_add)
    maps = joined or choose_maps(
        MapRequest(request.userns, request.uidmap, request.gidmap, user.uid, user.gid), caller
    )
    if maps.uid.to_outside(user.uid) is None or maps.gid.to_outside(user.gid) is None:
        raise InvalidInput(
            "the workload's user is outside of the ID map",
            f"{user.uid}:{user.gid}",
            f"{maps.reason}"
            if maps.reason
            else "mapped are "
            + ", ".join(f"{first}..{first + n - 1}" for first, n in maps.uid.inside_ranges()),
        )
    if request.as_caller:
        user = replace(user, home=_host_user().home)
    elif keep_id and not options.user and not user.known:
        user = replace(user, home=_home_inside(options.mounts))
    mapped = tuple(gid for gid in user.additional_gids if maps.gid.to_outside(gid) is not None)
    return replace(user, additional_gids=mapped), maps


def mappings_of(maps: Maps) -> tuple[tuple[IDMapping, ...], tuple[IDMapping, ...]]:
    """Return the maps as uidMappings and gidMappings of a spec."""

    def lines(idmap: IDMap) -> tuple[IDMapping, ...]:
        return tuple(IDMapping(m.inside, m.outside, m.length) for m in idmap.mappings)

    return lines(maps.uid), lines(maps.gid)


def _overlay_root(store: Store, image: Image, request: RunRequest) -> OverlayRoot:
    if request.name and request.overlay:
        raise Conflict("--name and --overlay exclude each other", request.name)
    kept = Path(request.overlay).absolute() if request.overlay else None
    place = trees.place_of(store, image)
    return OverlayRoot(
        tree=place.tree,
        layers=place.layers,
        driver=request.driver,
        name=f"rootless:{image.reference or image.config_digest[7:19]}",
        kept=kept,
    )


def _name_files(spec: Spec, request: RunRequest, network: Network) -> dict[str, bytes]:
    around = names_inside.Surroundings(
        network.kind == "host", network.address, network.host_address, network.resolver
    )
    files = {"/etc/hostname": f"{spec.hostname}\n".encode()}
    if not request.no_hosts:
        host_file = _host_file("/etc/hosts") if around.is_host else None
        hosts = names_inside.hosts(host_file, spec.hostname, request.add_hosts, around)
        files["/etc/hosts"] = hosts.encode()
    if not request.dns.is_image_s:
        host_file = _host_file("/etc/resolv.conf") if network.kind != "none" else None
        resolv_conf = names_inside.resolv_conf(host_file, request.dns, around)
        files["/etc/resolv.conf"] = resolv_conf.encode()
    return files


def _user_files(
    request: RunRequest, user: ImageUser, read: Callable[[bytes], bytes | None]
) -> dict[str, bytes]:
    """Return passwd and group with a user whom the image does not know, where it has them."""
    files: dict[str, bytes] = {}
    if user.known and not request.as_caller:
        return files
    passwd, group = read(b"etc/passwd"), read(b"etc/group")
    if request.as_caller:
        host_user = _host_user()
        files["/etc/passwd"] = passwd_of_caller(passwd or b"", host_user)
        files["/etc/group"] = group_of_caller(group or b"", host_user)
        return files
    is_caller = request.userns.startswith("keep-id") and not request.options.user
    name = _caller_name() if is_caller else str(user.uid)
    if passwd is not None:
        files["/etc/passwd"] = passwd_with(passwd, name, user)
    if group is not None and is_caller:
        files["/etc/group"] = group_with(group, name, user.gid)
    return files


def _host_user() -> "HostUser":
    from rootless.bundle.caller import HostUser  # noqa: PLC0415 - other runs have the image's

    return HostUser.current()


def _caller_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user{os.getuid()}"


def _home_inside(mounts: tuple[Mount, ...]) -> str:
    """Return the caller's home where a mount brings it along, else the root."""
    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"
    below = any(f"{home}/".startswith(f"{mount.destination}/") for mount in mounts)
    return home if below else "/"


def _host_file(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def from_bundle(bundle: "Bundle", request: RunRequest) -> Container:
    """Return a container of a bundle; the options that shape a bundle have no say."""
    check_driver(request.driver)
    spec = bundle.spec
    options = request.options
    process = spec.process
    if options.command:
        process = replace(process, args=options.command)
    if options.terminal:
        process = replace(process, terminal=True)
    if options.env:
        process = replace(process, env=(*process.env, *options.env))
    spec = replace(
        spec,
        process=process,
        mounts=(*spec.mounts, *options.mounts),
        root_readonly=spec.root_readonly or options.read_only,
    )
    root: OverlayRoot | PlainRoot
    if bundle.tree is None:
        root = PlainRoot(bundle.rootfs)
    else:
        kept = Path(request.overlay).absolute() if request.overlay else None
        root = OverlayRoot(bundle.tree, bundle.layers, request.driver, "rootless:bundle", kept)
    return Container(
        id=_new_id(),
        spec=spec,
        maps=_bundle_maps(spec, request),
        root=root,
        interactive=request.interactive,
        keep_groups=KEEP_GROUPS in options.group_add,
        devices=devices.nodes(request),
        cgroup=request.cgroup,
    )


def _bundle_maps(spec: Spec, request: RunRequest) -> Maps:
    """Return the bundle's own maps where the caller may have them, else his default ones."""
    caller = Caller.current()
    asked = bool(request.userns or request.uidmap or request.gidmap)
    path = namespaces.user_path(spec)
    if path:
        if asked:
            raise Conflict("the bundle joins a user namespace, which has its ID maps", path)
        return maps_of(path)
    if spec.linux.uid_mappings and not asked:
        own = _own_maps(spec, caller)
        if own is not None:
            return own
    user = spec.process.user
    return choose_maps(
        MapRequest(request.userns, request.uidmap, request.gidmap, user.uid, user.gid), caller
    )


def _own_maps(spec: Spec, caller: Caller) -> Maps | None:
    uid, gid = id_map_of(spec.linux.uid_mappings), id_map_of(spec.linux.gid_mappings)
    user_uid, user_gid = uid.to_inside(caller.uid), gid.to_inside(caller.gid)
    if user_uid is None or user_gid is None:
        return None
    if not (
        _allowed(uid, caller.uid, caller.subuids) and _allowed(gid, caller.gid, caller.subgids)
    ):
        return None
    return Maps(uid, gid, user_uid, user_gid, single=uid.size == 1)


def _allowed(idmap: IDMap, own: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return all(
        (line.outside == own and line.length == 1)
        or any(
            first <= line.outside and line.outside + line.length <= first + length
            for first, length in ranges
        )
        for line in idmap.mappings
    )
