"""`rootless import`, the real executable."""

import gzip
import json
import os
import socket
import subprocess
import tarfile
from pathlib import Path

import images
import loading
import pytest
import zstandard
from executable import Rootless

TAR = images.small_layer().tar()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small root file system of the user's own."""
    root = tmp_path / "rootfs"
    for name in ("bin", "etc", "tmp"):
        (root / name).mkdir(parents=True)
    (root / "bin" / "sh").write_text("#!\n")
    (root / "bin" / "sh").chmod(0o4755)
    os.link(root / "bin" / "sh", root / "bin" / "dash")
    (root / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\n")
    (root / "etc" / "mtab").symlink_to("/proc/mounts")
    os.mkfifo(root / "tmp" / "pipe")
    return root


def layer_of(rootless: Rootless, image: str) -> Path:
    """Return the tar of an image's one layer."""
    (diff_id,) = json.loads(rootless.ok("inspect", "-f", ".RootFS.Layers", image))
    return rootless.home.store / "blobs" / "sha256" / diff_id.partition(":")[2]


COMPRESSORS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("compression", COMPRESSORS)
@pytest.mark.parametrize("way", ["file", "pipe"])
def test_a_tar(compression: str, way: str, rootless: Rootless, tmp_path: Path) -> None:
    """A tar, plain or compressed, from a file or a pipe, becomes the layer byte for byte."""
    source = tmp_path / "rootfs.tar"
    source.write_bytes(COMPRESSORS[compression](TAR))
    if way == "pipe":
        said = loading.fed(rootless, source, "import", "-", "pic")
    else:
        said = rootless("import", source, "pic")
    assert (said.status, said.stderr) == (0, "")
    assert said.stdout == "Imported image: localhost/pic:latest\n"
    assert layer_of(rootless, "pic").read_bytes() == TAR


def test_options(rootless: Rootless, tmp_path: Path) -> None:
    """Each option stands in the config, under the specification's name."""
    (tmp_path / "x.tar").write_bytes(TAR)
    options = [
        "-e",
        "A=b=c",
        "--env",
        "E=",
        "--entrypoint",
        '["/bin/sh", "-c"]',
        "--cmd",
        "a 'b c'",
    ]
    options += ["-w", "/tmp", "-u", "1000:users", "-l", "x=y=z", "--label", "bare", "-m", "why ü"]
    rootless.ok("import", "-q", *options, tmp_path / "x.tar", "quay.io/a/b:1")
    (shown,) = json.loads(rootless.ok("inspect", "quay.io/a/b:1"))
    assert shown["Config"] == {
        "User": "1000:users",
        "Env": ["A=b=c", "E="],
        "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": ["a", "b c"],
        "WorkingDir": "/tmp",
        "Labels": {"x": "y=z", "bare": ""},
    }
    (step,) = shown["History"]
    assert (step["created_by"], step["comment"]) == ("rootless import", "why ü")
    assert shown["Created"] == step["created"]


def test_without_a_name(rootless: Rootless, tmp_path: Path) -> None:
    """Without a name the ID is printed, and is enough to find the image."""
    (tmp_path / "x.tar").write_bytes(TAR)
    said = rootless.ok("import", tmp_path / "x.tar")
    assert said.startswith("Imported image: sha256:")
    assert rootless.ok("inspect", "-f", ".Id", said.split()[-1]).strip() in said


def test_a_folder(rootless: Rootless, folder: Path) -> None:
    """A folder is an image in which what is the user's belongs to root; nothing else changes."""
    said = rootless("import", folder, "pic")
    assert (said.status, said.stderr) == (0, "")
    with tarfile.open(layer_of(rootless, "pic")) as archive:
        members = {member.name: member for member in archive}
    assert list(members) == [
        *(".", "bin", "bin/dash", "bin/sh", "etc", "etc/mtab", "etc/passwd", "tmp", "tmp/pipe")
    ]
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}
    assert members["bin/dash"].mode == 0o4755
    assert (members["bin/sh"].islnk(), members["bin/sh"].linkname) == (True, "bin/dash")
    assert members["etc/mtab"].linkname == "/proc/mounts"
    assert members["tmp/pipe"].isfifo()


def test_a_folder_twice_is_one_layer(rootless: Rootless, folder: Path) -> None:
    """The same folder gives the same layer, however it is written."""
    rootless.ok("import", folder, "one")
    rootless.ok("import", f"{folder}/", "two", cwd="/")
    rootless.ok("import", ".", "three", cwd=folder)
    layers = {layer_of(rootless, name) for name in ("one", "two", "three")}
    assert len(layers) == 1


@pytest.mark.needs_fuse
@pytest.mark.needs_user
def test_a_folder_runs(rootless: Rootless, tmp_path: Path) -> None:
    """What was imported runs: a folder that holds one static program."""
    root = tmp_path / "rootfs"
    (root / "bin").mkdir(parents=True)
    program = Path("/bin/busybox")
    if not program.exists():
        program = Path("/bin/true")
        for library in ("lib", "lib64"):
            (root / library).mkdir()
        for path in ("/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"):
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (root / path[1:]).write_bytes(Path(path).read_bytes())
            (root / path[1:]).chmod(0o755)
    (root / "bin" / "true").write_bytes(program.read_bytes())
    (root / "bin" / "true").chmod(0o755)
    rootless.ok("import", "--cmd", "/bin/true", root, "pic")
    rootless.ok("run", "pic")
    rootless.ok("import", root, "bare")
    said = rootless("run", "bare")
    assert said.status == 125
    assert "the image names no command" in said.stderr


def test_a_socket_is_left_out(rootless: Rootless, folder: Path, tmp_path: Path) -> None:
    """What no image can hold is left out, and told; escapes in its name are shown."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
    (tmp_path / "s").rename(folder / "tmp" / "so\x1bck")
    said = rootless("import", folder, "pic")
    assert said.status == 0
    assert said.stderr == "rootless: left out: tmp/so\\x1bck (a socket)\n"


@pytest.mark.needs_user
def test_a_file_that_cannot_be_read(rootless: Rootless, folder: Path) -> None:
    """One such file ends the import with its name; the store is as before."""
    (folder / "etc" / "passwd").chmod(0)
    says = (f"cannot be read: {folder}/etc/passwd: permission denied", "make a tar of the folder")
    loading.refused(rootless, "import", folder, "x", says=says)
    (folder / "etc").chmod(0)
    loading.refused(rootless, "import", folder, "x", says=(f"{folder}/etc: permission denied",))
    (folder / "etc").chmod(0o755)


def test_a_name_that_means_a_whiteout(rootless: Rootless, folder: Path) -> None:
    """A file that a layer would take for a whiteout is refused, not lost."""
    (folder / "etc" / ".wh.passwd").touch()
    says = (f"{folder}/etc/.wh.passwd", "rename the file")
    loading.refused(rootless, "import", folder, "x", says=says)


def test_what_is_no_root_file_system(rootless: Rootless, folder: Path, tmp_path: Path) -> None:
    """Images, other files, and what is not there are refused, each with its own line."""
    layout = images.oci_layout(tmp_path / "layout", [TAR])
    archive = images.oci_archive(tmp_path / "a.tar", [TAR])
    loading.refused(rootless, "import", layout, says=("an image, not a", f"rootless load {layout}"))
    loading.refused(rootless, "import", archive, says=(f"rootless load {archive}",))
    (tmp_path / "text").write_text("hello\n" * 200)
    (tmp_path / "empty").touch()
    loading.refused(rootless, "import", tmp_path / "text", says=("tar header",))
    loading.refused(rootless, "import", tmp_path / "empty", says=("an empty file",))
    loading.refused(rootless, "import", tmp_path / "none", says=("none: no such file",))
    loading.refused(rootless, "import", "/dev/null", says=("an empty file",))


def test_wrong_options(rootless: Rootless, folder: Path) -> None:
    """What no config can hold is refused before anything is read."""
    for option, value, says in (
        ("--env", "NOVALUE", "not a variable: NOVALUE (NAME=VALUE)"),
        ("--env", "=x", "not a variable"),
        ("--env", b"A=\xff", "not valid UTF-8"),
        ("--label", "=x", "label without a name"),
        ("--workdir", "tmp", "must be an absolute path: tmp"),
        ("--cmd", '["a"', "--cmd is no JSON array"),
        ("--cmd", "'a", "--cmd: No closing quotation"),
        ("--entrypoint", "[1]", "--entrypoint must be an array of strings"),
    ):
        words = ("import", option, os.fsdecode(value), folder, "x")
        loading.refused(rootless, *words, says=(says,))
    loading.refused(rootless, "import", folder, "UPPER", says=("lower case",))
    loading.refused(rootless, "import", says=("SOURCE",))


def test_a_terminal_is_no_tar(rootless: Rootless, folder: Path) -> None:
    """`-` on a terminal does not wait; a folder shows progress there, unless --quiet."""
    said = loading.on_terminal(rootless, "import", "-")
    assert said.status == 125
    assert "standard input is a terminal (pipe a tar in)" in said.stderr
    assert "\x1b" not in loading.on_terminal(rootless, "import", "-q", folder).stderr
    assert "layer rootfs" in loading.on_terminal(rootless, "import", folder).stderr


@pytest.mark.needs_user
def test_a_mount_inside_is_not_entered(rootless: Rootless, folder: Path) -> None:
    """What is mounted in the folder is not taken for its content."""
    script = (
        'mount -t tmpfs tmpfs "$1/tmp" && echo secret > "$1/tmp/secret" && '
        'exec "$2" import "$1" pic'
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", folder, rootless.executable],
        env=dict(rootless.home.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "rootless: left out: what is mounted on tmp\n"
    with tarfile.open(layer_of(rootless, "pic")) as archive:
        assert "tmp/secret" not in archive.getnames()
