"""OCI bundles: run, made, and refused."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shell_image
from executable import Rootless

from rootless.oci.runtime_spec import parse_spec

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.fixture
def bundle(rootless: Rootless, shell_layer: bytes, tmp_path: Path) -> Path:
    """A bundle with a folder of files, as other tools make them, and the default config.json."""
    folder = tmp_path / "bundle"
    (folder / "rootfs").mkdir(parents=True)
    (tmp_path / "shell.tar").write_bytes(shell_layer)
    subprocess.run(["tar", "-xf", tmp_path / "shell.tar", "-C", folder / "rootfs"], check=True)
    rootless.ok("bundle", "spec", cwd=folder)
    change(folder, lambda spec: spec["process"].update(terminal=False, args=["/bin/sh", "-c", SAY]))
    return folder


SAY = 'echo "$PWD $A $1 $0"; echo > /new; test ! -e /etc/hosts && echo no name files'


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit a bundle's config.json."""
    path = folder / "config.json"
    spec = json.loads(path.read_text())
    edit(spec)
    path.write_text(json.dumps(spec))


@pytest.mark.both_users
def test_a_folder_of_files(rootless: Rootless, bundle: Path) -> None:
    """A bundle's process runs in its root file system, and writes into it."""
    change(bundle, lambda spec: spec["process"].update(cwd="/bin"))
    change(bundle, lambda spec: spec["process"]["env"].append("A=1"))
    out = rootless.ok("run", "--bundle", bundle)
    assert out == "/bin 1  /bin/sh\nno name files\n"
    assert (bundle / "rootfs" / "new").exists()


def test_words_and_options_change_the_process(rootless: Rootless, bundle: Path) -> None:
    """Words are the command, -e and -v are added."""
    options = ("--bundle", bundle, "-e", "A=2", "-v", f"{bundle}:/b:ro")
    script = "echo $A; test -e /b/config.json && echo bound"
    assert rootless.ok("run", *options, "/bin/sh", "-c", script) == "2\nbound\n"


@pytest.mark.parametrize(
    "option", [("--user", "1"), ("--network", "none"), ("--name", "n"), ("--entrypoint", "sh")]
)
def test_options_without_effect(rootless: Rootless, bundle: Path, option: tuple[str, str]) -> None:
    """What config.json says itself is not silently ignored on the command line."""
    result = rootless("run", "--bundle", bundle, *option)
    assert (result.status, result.stdout) == (125, "")
    assert result.stderr == (
        f"rootless: {option[0]} has no effect on a bundle: {bundle} (edit its config.json)\n"
    )


def test_read_only_root(rootless: Rootless, bundle: Path) -> None:
    """root.readonly is in force."""
    change(bundle, lambda spec: spec["root"].update(readonly=True))
    assert "Read-only file system" in rootless("run", "--bundle", bundle).stderr
    assert not (bundle / "rootfs" / "new").exists()


@pytest.mark.both_users
def test_a_tar_is_not_unpacked(rootless: Rootless, bundle: Path, driver: str) -> None:
    """A tar of a bundle runs; what is written goes, or with --overlay is kept beside it."""
    path = bundle.parent / "bundle.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(bundle, arcname=".")
    shutil.rmtree(bundle)
    before = path.read_bytes()
    options = ("--overlay-driver", driver, "--bundle", path)
    assert rootless.ok("run", *options) == "/   /bin/sh\nno name files\n"
    test = ("/bin/sh", "-c", "test -e /new && echo kept")
    assert rootless("run", *options, *test).status == 1
    kept = ("--overlay", bundle.parent / "kept")
    rootless.ok("run", *kept, *options)
    assert rootless.ok("run", *kept, *options, *test) == "kept\n"
    assert path.read_bytes() == before


def test_of_an_image(rootless: Rootless, shell_layer: bytes, tmp_path: Path, driver: str) -> None:
    """`bundle create` makes a config.json and an empty rootfs; the image's files are served."""
    config = {
        "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": ["echo $A $PWD"],
        "WorkingDir": "/w",
        "Env": ["A=1"],
        "Labels": {"l": "m"},
        "StopSignal": "SIGINT",
    }
    shell_image.load_image(rootless, [shell_layer], config)
    made = tmp_path / "made"
    rootless.ok("bundle", "create", "small", made)
    assert list((made / "rootfs").iterdir()) == []
    spec = json.loads((made / "config.json").read_text())
    assert spec["process"]["args"] == ["/bin/sh", "-c", "echo $A $PWD"]
    assert spec["annotations"]["l"] == "m"
    assert spec["annotations"]["org.opencontainers.image.stopSignal"] == "SIGINT"
    assert rootless.ok("run", "--overlay-driver", driver, "--bundle", made) == "1 /w\n"
    again = rootless("bundle", "create", "small", made)
    assert again.status == 125
    assert "there is a bundle already" in again.stderr


def test_spec_does_not_overwrite(rootless: Rootless, bundle: Path) -> None:
    """`bundle spec` leaves a config.json that is there alone."""
    before = (bundle / "config.json").read_text()
    result = rootless("bundle", "spec", cwd=bundle)
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert (bundle / "config.json").read_text() == before


@pytest.mark.needs_subid
def test_of_umoci(rootless: Rootless, demo_image: str, tmp_path: Path) -> None:
    """A bundle that `umoci unpack --rootless` made runs as it is."""
    made = tmp_path / "umoci"
    subprocess.run(
        ["umoci", "unpack", "--rootless", "--image", demo_image, made],
        check=True,
        capture_output=True,
    )
    out = rootless.ok("run", "--bundle", made, "sh", "-c", "id -u; cat /etc/debian_version; pwd")
    assert out.split()[0] == "0"
    assert out.endswith("\n/\n")
    subprocess.run(["chmod", "-R", "u+rwx", made], check=True)


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (lambda spec: spec.pop("process"), "process is missing"),
        (lambda spec: spec["process"].update(args=[]), "process.args must name the command"),
        (lambda spec: spec["process"].update(args=["a", 7]), "process.args[1] is not a string"),
        (lambda spec: spec["process"].update(cwd="x"), "process.cwd must be an absolute path"),
        (lambda spec: spec["process"].update(env=["A"]), "process.env[0] must have the form"),
        (lambda spec: spec["process"].update(terminal="y"), "process.terminal is not true"),
        (lambda spec: spec["process"]["user"].update(uid="root"), "process.user.uid is not an"),
        (lambda spec: spec["root"].pop("path"), "root.path is missing"),
        (lambda spec: spec.update(ociVersion="2.0.0"), "ociVersion is 2.0.0"),
        (lambda spec: spec["mounts"][2].pop("destination"), "mounts[2].destination is missing"),
        (lambda spec: spec["linux"].update(maskedPaths=["x"]), "linux.maskedPaths[0] is not an"),
        (
            lambda spec: spec["linux"]["namespaces"].append({"type": "moon"}),
            ".type is 'moon', not one of pid, network",
        ),
    ],
)
def test_malformed(
    rootless: Rootless, bundle: Path, edit: Callable[[dict[str, Any]], object], place: str
) -> None:
    """One line names the place in config.json that is wrong."""
    change(bundle, edit)
    result = rootless("run", "--bundle", bundle)
    assert (result.status, result.stdout, result.stderr.count("\n")) == (125, "", 1)
    assert place in result.stderr


def test_not_a_bundle(rootless: Rootless, tmp_path: Path, bundle: Path) -> None:
    """What is no bundle at all is one line that says so."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("text")
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(bundle / "rootfs", arcname="rootfs")
    for name, says in (
        ("none", "no such bundle"),
        ("empty", "not a bundle: it has no config.json"),
        ("text", "not a tar of a bundle"),
        ("other.tar", "the tar holds no config.json"),
    ):
        result = rootless("run", "--bundle", tmp_path / name)
        assert (result.status, result.stderr.count("\n")) == (125, 1), result.stderr
        assert says in result.stderr
    (bundle / "config.json").write_text("{")
    assert "is not JSON" in rootless("run", "--bundle", bundle).stderr
    rootless.ok("bundle", "spec", cwd=tmp_path / "empty")
    assert "root.path is not a folder" in rootless("run", "--bundle", tmp_path / "empty").stderr


def test_what_is_not_applied_is_said(rootless: Rootless, bundle: Path) -> None:
    """Members that ask for what is not done yet are named, and the process runs."""
    change(bundle, lambda spec: spec.update(hooks={"poststart": [{"path": "/bin/true"}]}))
    result = rootless("run", "--bundle", bundle)
    assert result.status == 0
    assert "hooks.poststart of the bundle is not applied" in result.stderr


def test_other_runtimes_read_our_config(rootless: Rootless, bundle: Path, tmp_path: Path) -> None:
    """Crun takes our config.json as far as this host lets it, and we take what it writes."""
    theirs = tmp_path / "theirs"
    (theirs / "rootfs").mkdir(parents=True)
    subprocess.run(["crun", "spec", "--rootless"], cwd=theirs, check=True)
    parse_spec((theirs / "config.json").read_bytes())
    ours, template = (json.loads((each / "config.json").read_text()) for each in (bundle, theirs))
    assert set(ours) - {"annotations"} <= set(template) | {"domainname"}
    assert set(ours["process"]) <= set(template["process"])
    assert set(ours["linux"]) <= set(template["linux"]) | {"gidMappings", "uidMappings"}
    result = subprocess.run(
        ["crun", "--root", tmp_path / "state", "run", "--bundle", bundle, "test"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "config.json" not in result.stderr
    assert "parse" not in result.stderr
