"""From an image config to a config.json: image-spec conversion.md, section by section."""

import re
from dataclasses import replace

import pytest

from rootless.bundle.convert import convert
from rootless.bundle.options import RunOptions
from rootless.bundle.users import ImageUser
from rootless.errors import InvalidInput
from rootless.oci.digest import sha256_of
from rootless.oci.image_config import ImageConfig
from rootless.oci.linux_spec import IDMapping
from rootless.oci.resources_spec import Resources
from rootless.oci.runtime_spec import Mount, Rlimit, Spec, format_spec, parse_spec
from rootless.runtime.cgroups import strict_wanted

ID = "0123456789ab" + "c" * 52
CONFIG = ImageConfig(
    diff_ids=(sha256_of(b""),),
    env=("PATH=/image", "A=1=2", "E="),
    entrypoint=("/entry", "-x"),
    cmd=("cmd", "arg"),
    working_dir="/work",
    labels={"label": "value"},
    exposed_ports=("443/tcp", "80"),
    volumes=("/data",),
    stop_signal="SIGINT",
    architecture="arm",
    variant="v7",
    os="linux",
    os_version="5.1",
    os_features=("x", "y"),
    created="2024-01-01T00:00:00Z",
    author="ann",
)
ROOT = ImageUser(0, 0, (), "/root", known=True)
PREFIX = "org.opencontainers.image"


def made(
    options: RunOptions | None = None, config: ImageConfig = CONFIG, user: ImageUser = ROOT
) -> Spec:
    """Return the spec of an image."""
    return convert(config, options or RunOptions(), user, ID)


def variables(spec: Spec) -> dict[str, str]:
    """Return the environment by name."""
    return dict(variable.split("=", 1) for variable in spec.process.env)


def test_verbatim_fields() -> None:
    """Config.WorkingDir, Env, Entrypoint and Cmd arrive as they are."""
    process = made().process
    assert process.cwd == "/work"
    assert set(CONFIG.env) <= set(process.env)
    assert process.args == ("/entry", "-x", "cmd", "arg")


def test_no_default_changes_a_variable_of_the_image() -> None:
    """What is added to the environment gives way, and no name comes twice."""
    config = replace(CONFIG, env=("PATH=/p", "HOME=/h", "HOSTNAME=n", "TERM=t", "container=c"))
    spec = made(RunOptions(terminal=True), config)
    assert sorted(spec.process.env) == sorted(config.env)


def test_what_is_added_to_the_environment() -> None:
    """Where the image says nothing: a PATH, the user's home, the host's name, a terminal's kind."""
    found = variables(made(RunOptions(terminal=True, hostname="box"), replace(CONFIG, env=())))
    assert found["PATH"].startswith("/usr/local/sbin:")
    assert (found["HOME"], found["HOSTNAME"], found["TERM"]) == ("/root", "box", "xterm")


def test_caller_s_variables_win() -> None:
    """--env replaces the image's, and the last of several counts."""
    assert variables(made(RunOptions(env=("A=x", "A=y", "HOME=/h"))))["A"] == "y"


def test_variables_that_are_left_out() -> None:
    """Those of the image and the defaults, by name or all; what was asked for stays."""
    some = variables(made(RunOptions(env=("A=b",), unset_env=("A", "PATH", "HOME", "NONE"))))
    assert not {"PATH", "HOME"} & some.keys()
    assert some["A"] == "b"
    assert made(RunOptions(env=("H=h",), unset_env=("*",))).process.env == ("H=h",)


def test_the_process_s_score_and_the_kernel_s_settings() -> None:
    """They go where the runtime reads them."""
    spec = made(RunOptions(oom_score_adj=5, sysctl={"net.a": "b"}))
    assert (spec.process.oom_score_adj, spec.linux.sysctl) == (5, {"net.a": "b"})


@pytest.mark.parametrize(
    ("entrypoint", "command", "args"),
    [
        (None, (), ("/entry", "-x", "cmd", "arg")),
        (None, ("c",), ("/entry", "-x", "c")),
        (("e",), (), ("e",)),
        (("e",), ("c",), ("e", "c")),
        ((), ("c",), ("c",)),
    ],
)
def test_command_and_entrypoint(
    entrypoint: tuple[str, ...] | None, command: tuple[str, ...], args: tuple[str, ...]
) -> None:
    """A command replaces Cmd; an entrypoint replaces Entrypoint, and Cmd with it."""
    assert made(RunOptions(entrypoint=entrypoint, command=command)).process.args == args


def test_no_command() -> None:
    """An image without a command needs one."""
    with pytest.raises(InvalidInput, match="the image names no command"):
        made(config=replace(CONFIG, entrypoint=(), cmd=()))
    with pytest.raises(InvalidInput, match="the image names no command"):
        made(RunOptions(entrypoint=()))


@pytest.mark.parametrize(
    ("image", "asked", "cwd"),
    [
        ("", "", "/"),
        ("app", "", "/app"),
        ("/a/../b/", "", "/b"),
        ("../..", "", "/"),
        ("/app", "/x/./y", "/x/y"),
    ],
)
def test_working_directory(image: str, asked: str, cwd: str) -> None:
    """A working directory is absolute whatever the image says, and does not climb."""
    assert made(RunOptions(workdir=asked), replace(CONFIG, working_dir=image)).process.cwd == cwd


def test_working_directory_asked_for_is_absolute() -> None:
    """--workdir without a slash is refused."""
    with pytest.raises(InvalidInput, match="--workdir must be an absolute path: x"):
        made(RunOptions(workdir="x"))


def test_annotation_fields() -> None:
    """Every member of the table has its annotation."""
    assert made().annotations == {
        f"{PREFIX}.os": "linux",
        f"{PREFIX}.os.version": "5.1",
        f"{PREFIX}.os.features": "x,y",
        f"{PREFIX}.architecture": "arm",
        f"{PREFIX}.variant": "v7",
        f"{PREFIX}.author": "ann",
        f"{PREFIX}.created": "2024-01-01T00:00:00Z",
        f"{PREFIX}.stopSignal": "SIGINT",
        f"{PREFIX}.exposedPorts": "443/tcp,80",
        "label": "value",
    }


def test_labels_win_over_fields_and_the_caller_over_both() -> None:
    """Config.Labels take precedence over what is implied; what is empty says nothing."""
    config = ImageConfig((), cmd=("x",), os="linux", labels={f"{PREFIX}.os": "mine", "l": "m"})
    assert made(config=config).annotations == {f"{PREFIX}.os": "mine", "l": "m"}
    assert made(RunOptions(annotations={"l": "n"}), config).annotations["l"] == "n"


def test_user() -> None:
    """The resolved user's IDs are the process's; only root holds capabilities."""
    process = made(RunOptions(umask=0o27), user=ImageUser(5, 6, (7,), "/h", known=True)).process
    user = process.user
    assert (user.uid, user.gid, user.additional_gids, user.umask) == (5, 6, (7,), 0o27)
    assert process.capabilities is not None
    assert process.capabilities.effective == ()


def test_volumes_are_writable_where_the_root_is_not() -> None:
    """Config.Volumes get memory on a read-only root, unless the caller mounts there."""
    assert "/data" not in {mount.destination for mount in made().mounts}
    spec = made(RunOptions(read_only=True))
    assert spec.root_readonly
    assert {"/data", "/run", "/tmp", "/var/tmp"} <= {mount.destination for mount in spec.mounts}
    bare = made(RunOptions(read_only=True, read_only_tmpfs=False))
    assert "/tmp" not in {mount.destination for mount in bare.mounts}
    own = Mount("/data", "bind", "/mine")
    spec = made(RunOptions(read_only=True, mounts=(own,)))
    assert [mount for mount in spec.mounts if mount.destination == "/data"] == [own]


def test_mounts_are_outer_ones_first() -> None:
    """Whatever the order of the options, no mount covers one that was asked for."""
    asked = (Mount("/a/b/c", "bind", "/1"), Mount("/a", "bind", "/2"), Mount("/dev/shm", "tmpfs"))
    destinations = [mount.destination for mount in made(RunOptions(mounts=asked)).mounts]
    assert len(set(destinations)) == len(destinations)
    for place, outer in enumerate(destinations):
        assert not any(outer.startswith(f"{inner}/") for inner in destinations[place:])


def test_two_mounts_at_one_place() -> None:
    """Two of the caller's own at one destination are a mistake."""
    with pytest.raises(InvalidInput, match="same destination: /a"):
        made(RunOptions(mounts=(Mount("/a/", "tmpfs"), Mount("/a", "bind", "/x"))))


def test_rest_of_the_options() -> None:
    """Limits, names, maps and the size of /dev/shm are written down."""
    lines = ((IDMapping(0, 1000, 1),), (IDMapping(0, 100, 1),))
    options = RunOptions(rlimits=(Rlimit("RLIMIT_CORE", 0, 0),), shm_size=4096, terminal=True)
    spec = convert(CONFIG, options, ROOT, ID, lines)
    assert spec.process.rlimits == options.rlimits
    assert spec.process.terminal
    assert spec.process.no_new_privileges
    assert spec.hostname == "0123456789ab"
    assert (spec.linux.uid_mappings, spec.linux.gid_mappings) == lines
    shm = next(mount for mount in spec.mounts if mount.destination == "/dev/shm")
    assert "size=4096" in shm.options


def test_it_is_a_config_json() -> None:
    """What comes out is a document that reads back as the same."""
    spec = made(RunOptions(read_only=True, terminal=True, umask=0o22))
    assert parse_spec(format_spec(spec).encode()) == spec
    assert re.search(r'"ociVersion": "1\.', format_spec(spec))


def test_resources() -> None:
    """Limits, the cgroup's place and strictness are in the document, if they were asked for."""
    options = RunOptions(
        resources=Resources(pids_limit=7), cgroup_parent="/jobs/", strict_resources=True
    )
    spec = made(options)
    assert spec.linux.resources == Resources(pids_limit=7)
    assert spec.linux.cgroups_path == f"/jobs/rootless-{ID}"
    assert strict_wanted(spec.annotations)
    assert parse_spec(format_spec(spec).encode()).linux == spec.linux
    plain = made()
    assert (plain.linux.resources, plain.linux.cgroups_path) == (Resources(), "")
    assert not strict_wanted(plain.annotations)
