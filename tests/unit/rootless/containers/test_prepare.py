"""From what was asked to a container."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rootless.bundle.bundle import Bundle
from rootless.bundle.default_spec import default_spec
from rootless.bundle.name_files import Dns
from rootless.bundle.options import RunOptions
from rootless.containers.container import HOST, Container, OverlayRoot, PlainRoot
from rootless.containers.network.mode import Kind, NetworkMode
from rootless.containers.network.ports import PortMapping
from rootless.containers.prepare import Around, from_bundle, from_image, mappings_of
from rootless.containers.request import RunRequest
from rootless.errors import Conflict, InvalidInput, NotFound
from rootless.image.names import resolve
from rootless.image.store import Store
from rootless.oci.linux_spec import IDMapping, Namespace
from rootless.oci.runtime_spec import Mount, Spec
from rootless.paths import Paths
from rootless.userns.maps import MapRequest, choose_maps
from rootless.userns.subid import Caller

UID, GID = os.getuid(), os.getgid()


def made_of(paths: Paths, name: str, request: RunRequest) -> Container:
    """Return a container of an image by its name."""
    store = Store.open(paths, create=False)
    return from_image(store, resolve(store, name), request)


def test_of_an_image(loaded: Paths) -> None:
    """The image's config is followed, its tree served, and the name files are the host's."""
    made = made_of(loaded, "pic", RunRequest())
    assert made.spec.process.args == ("/bin/show",)
    assert len(made.id) == 64
    assert isinstance(made.root, OverlayRoot)
    assert made.root.tree.exists()
    assert [layer.exists() for layer in made.root.layers] == [True]
    assert (made.root.kept, made.root.name) == (None, "rootless:localhost/pic:latest")
    assert set(made.name_files) == {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}
    assert made.spec.hostname == os.uname().nodename
    assert not loaded.runtime.exists()


def test_two_of_an_image_are_two(loaded: Paths) -> None:
    """Every container has an ID of its own; without the host's network it is the host name."""
    request = RunRequest(network=NetworkMode(Kind.NONE))
    one, two = (made_of(loaded, "pic", request) for _ in range(2))
    assert one.id != two.id
    assert one.spec.hostname == one.id[:12]
    assert one.name_files["/etc/hostname"] == f"{one.id[:12]}\n".encode()


def test_user_of_the_image(loaded: Paths) -> None:
    """A name is looked up in the image's passwd; the only ID mapped is that user's."""
    options = RunOptions(user="ann", group_add=("keep-groups",))
    made = made_of(loaded, "pic", RunRequest(options=options, userns="single"))
    user = made.spec.process.user
    assert (user.uid, user.gid) == (7, 8)
    assert "HOME=/home/ann" in made.spec.process.env
    assert mappings_of(made.maps) == ((IDMapping(7, UID, 1),), (IDMapping(8, GID, 1),))
    assert made.keep_groups
    # staff is not mapped: a group that could not be set is left out
    assert user.additional_gids == ()


def test_user_that_the_image_does_not_know(loaded: Paths) -> None:
    """A number without a line in passwd gets one; the image's own lines stay."""
    options = RunOptions(user="1234:5678")
    made = made_of(loaded, "pic", RunRequest(options=options, userns="single"))
    passwd = made.name_files["/etc/passwd"].decode().splitlines()
    assert passwd[1].startswith("ann:")
    assert passwd[-1].startswith("1234:")
    assert ":1234:5678:" in passwd[-1]
    assert "/etc/group" not in made.name_files


def test_user_outside_of_the_map(loaded: Paths) -> None:
    """A workload that would run as nobody's ID is refused, with the IDs that there are."""
    request = RunRequest(options=RunOptions(user="ann"), uidmap=("0:0:1",))
    with pytest.raises(InvalidInput, match=r"outside of the ID map: 7:8 \(mapped are 0\.\.0\)"):
        made_of(loaded, "pic", request)


@pytest.mark.needs_subid
def test_keep_id_is_the_caller(loaded: Paths) -> None:
    """keep-id runs the workload as the caller, in the home that a mount brings along."""
    made = made_of(loaded, "pic", RunRequest(userns="keep-id"))
    assert (made.spec.process.user.uid, made.spec.process.user.gid) == (UID, GID)
    assert (made.maps.user_uid, made.maps.user_gid) == (UID, GID)
    assert "HOME=/" in made.spec.process.env
    assert f":{UID}:{GID}:" in made.name_files["/etc/passwd"].decode()
    home = str(Path("~").expanduser())
    mount = Mount(home, "bind", home, ("rbind",))
    options = RunOptions(mounts=(mount,))
    made = made_of(loaded, "pic", RunRequest(options=options, userns="keep-id"))
    assert f"HOME={home}" in made.spec.process.env


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("/dev/fuse", ("/dev/fuse", "/dev/fuse")),
        ("/dev/fuse:/dev/x", ("/dev/fuse", "/dev/x")),
        ("/dev/fuse:/dev/x:rwm", ("/dev/fuse", "/dev/x")),
        ("/dev/fuse:", ("/dev/fuse", "/dev/fuse")),
    ],
)
def test_devices(loaded: Paths, text: str, passed: tuple[str, str]) -> None:
    """A device has a source, and a destination where it is not the same."""
    assert made_of(loaded, "pic", RunRequest(devices=(text,))).devices == (passed,)


@pytest.mark.parametrize("text", ["/etc/passwd", "fuse", "", "/dev/fuse:x", ":/dev/x"])
def test_no_devices(loaded: Paths, text: str) -> None:
    """Anything else is refused in words that show the form."""
    with pytest.raises(InvalidInput, match=r"/dev/SOURCE\[:DESTINATION\]"):
        made_of(loaded, "pic", RunRequest(devices=(text,)))


def test_what_is_kept(loaded: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--overlay keeps writes where it says; with --name it is a conflict."""
    monkeypatch.chdir(tmp_path)
    placed = made_of(loaded, "pic", RunRequest(overlay="here")).root
    assert isinstance(placed, OverlayRoot)
    assert placed.kept == tmp_path / "here"
    with pytest.raises(Conflict, match="--name and --overlay exclude each other"):
        made_of(loaded, "pic", RunRequest(name="n", overlay="here"))


def test_what_is_not_there(loaded: Paths, paths: Paths) -> None:
    """An image or a driver that does not exist is told before anything is made."""
    with pytest.raises(NotFound, match="no such image: nosuch"):
        made_of(loaded, "nosuch", RunRequest(name="n"))
    with pytest.raises(InvalidInput, match="aufs"):
        made_of(loaded, "pic", RunRequest(driver="aufs", name="n"))
    assert not (paths.store / "containers").exists()


def bundle(spec: Spec | None = None, tree: Path | None = None) -> Bundle:
    """Return a bundle that has been read, of a folder unless a tree is given."""
    return Bundle(spec or default_spec(), Path("/b/rootfs"), tree)


def test_of_a_bundle() -> None:
    """A bundle runs as its config.json says, in its own folder."""
    made = from_bundle(bundle(), RunRequest())
    assert made.spec == default_spec()
    assert made.root == PlainRoot(Path("/b/rootfs"))
    assert made.name_files == {}


def test_of_a_bundle_that_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle of ours, or a tar, runs over its tree; --overlay keeps what it writes."""
    monkeypatch.chdir(tmp_path)
    made = from_bundle(bundle(tree=Path("/t")), RunRequest(overlay="kept"))
    assert made.root == OverlayRoot(Path("/t"), (), "auto", "rootless:bundle", tmp_path / "kept")


def test_options_beside_a_bundle() -> None:
    """Command, variables, mounts, terminal and read-only are the caller's to say."""
    spec = default_spec()
    mount = Mount("/x", "bind", "/y", ("rbind",))
    options = RunOptions(
        command=("ls",), env=("B=2",), mounts=(mount,), terminal=True, read_only=True
    )
    made = from_bundle(bundle(spec), RunRequest(options=options)).spec
    assert (made.process.args, made.process.terminal) == (("ls",), True)
    assert made.process.env == (*spec.process.env, "B=2")
    assert made.mounts == (*spec.mounts, mount)
    assert made.root_readonly


def with_maps(uid: IDMapping, gid: IDMapping) -> Bundle:
    """Return a bundle whose config.json brings ID maps along."""
    spec = default_spec()
    return bundle(
        replace(spec, linux=replace(spec.linux, uid_mappings=(uid,), gid_mappings=(gid,)))
    )


def test_maps_of_a_bundle() -> None:
    """A bundle's own ID maps are taken where the caller may have them, and say who he is."""
    mine = with_maps(IDMapping(5, UID, 1), IDMapping(6, GID, 1))
    made = from_bundle(mine, RunRequest()).maps
    assert mappings_of(made) == ((IDMapping(5, UID, 1),), (IDMapping(6, GID, 1),))
    assert (made.user_uid, made.user_gid, made.single) == (5, 6, True)
    asked = from_bundle(mine, RunRequest(userns="single")).maps
    assert mappings_of(asked) == ((IDMapping(0, UID, 1),), (IDMapping(0, GID, 1),))


@pytest.mark.parametrize(
    "uid",
    [
        IDMapping(0, UID + 1, 1),  # without the caller
        IDMapping(0, UID, 2),  # with his neighbour
    ],
)
def test_maps_of_somebody_elses_bundle(uid: IDMapping) -> None:
    """Maps that the caller may not have give way to his default ones."""
    made = from_bundle(with_maps(uid, IDMapping(0, GID, 1)), RunRequest()).maps
    user = default_spec().process.user
    assert made == choose_maps(MapRequest(uid=user.uid, gid=user.gid), Caller.current())


def test_network_of_its_own(loaded: Paths) -> None:
    """A private network is in the spec as a namespace, and in the files by its addresses."""
    request = RunRequest(
        network=NetworkMode(Kind.SLIRP4NETNS), ports=(PortMapping(80, 18080, "127.0.0.1"),)
    )
    made = made_of(loaded, "pic", request)
    assert made.spec.linux.namespace("network") == Namespace("network")
    assert made.network.kind == "slirp4netns"
    assert made.network.ports == request.ports
    assert f"10.0.2.100\t{made.id[:12]}\n".encode() in made.name_files["/etc/hosts"]


def test_files_of_the_image(loaded: Paths) -> None:
    """--no-hosts and --dns none leave the image's own files."""
    made = made_of(loaded, "pic", RunRequest(no_hosts=True, dns=Dns(("none",))))
    assert set(made.name_files) == {"/etc/hostname"}


def test_joined_network_has_its_own_map(loaded: Paths) -> None:
    """The map of a joined network's user namespace is there already: none can be chosen."""
    request = RunRequest(network=NetworkMode(Kind.NAMESPACE, target="/x"), userns="keep-id")
    with pytest.raises(InvalidInput, match="cannot be chosen with a joined network namespace: /x"):
        made_of(loaded, "pic", request)


def test_processes_of_others(loaded: Paths) -> None:
    """What the spec says of the PID namespace is what was looked up, /proc as well."""
    store = Store.open(loaded, create=False)
    around = Around(pid=HOST)
    made = from_image(store, resolve(store, "pic"), RunRequest(), around=around)
    assert made.pid == HOST
    assert made.spec.linux.namespace("pid") is None
    assert [each.type for each in made.spec.mounts if each.destination == "/proc"] == ["bind"]
    request = RunRequest(userns="keep-id")
    around = Around(pid="a" * 64, pid_path="/x")
    assert around.pid_for_spec == "ns:/x"
    with pytest.raises(InvalidInput, match="cannot be chosen with a joined PID namespace: /x"):
        from_image(store, resolve(store, "pic"), request, around=around)
