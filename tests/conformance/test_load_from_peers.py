"""Archives that skopeo and podman write of a real image, and our store as they read it."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from executable import Rootless


def tool(*words: str | Path) -> str:
    """Run another program, expect success, return what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


@pytest.fixture
def expected(demo_image: str) -> tuple[str, list[str]]:
    """Return the image ID and the diff IDs, as the layout's own documents have them."""
    config = tool("skopeo", "inspect", "--config", "--raw", f"oci:{demo_image}")
    manifest = json.loads(tool("skopeo", "inspect", "--raw", f"oci:{demo_image}"))
    return manifest["config"]["digest"], json.loads(config)["rootfs"]["diff_ids"]


def check(rootless: Rootless, name: str, expected: tuple[str, list[str]]) -> None:
    """Expect that image under a name."""
    (shown,) = json.loads(rootless.ok("inspect", name))
    assert (f"sha256:{shown['Id']}", shown["RootFS"]["Layers"]) == expected


@pytest.mark.parametrize(
    ("destination", "options"),
    [
        ("docker-archive:{}:pic:1", ()),
        ("oci-archive:{}:pic:1", ()),
        ("oci:{}:pic:1", ("--dest-compress-format", "gzip")),
        ("oci:{}:pic:1", ("--dest-compress", "--dest-compress-format", "zstd")),
    ],
    ids=["docker-archive", "oci-archive", "oci-gzip", "oci-zstd"],
)
def test_skopeo(  # noqa: PLR0917 - fixtures
    destination: str,
    options: tuple[str, ...],
    demo_image: str,
    expected: tuple[str, list[str]],
    rootless: Rootless,
    tmp_path: Path,
) -> None:
    """What skopeo writes has the same image ID and diff IDs here."""
    path = tmp_path / "written"
    tool("skopeo", "copy", "-q", *options, f"oci:{demo_image}", destination.format(path))
    rootless.ok("load", path)
    check(rootless, "pic:1", expected)


@pytest.fixture
def podman() -> Iterator[list[str]]:
    """Give podman with folders of its own, which it removes itself: they hold files of sub-IDs."""
    # podman takes 50 characters for its folders at most
    storage = tempfile.mkdtemp(prefix="rootless-podman-", dir="/tmp")
    words = ["env", f"XDG_RUNTIME_DIR={storage}", "podman", "--storage-driver=vfs"]
    words += [f"--root={storage}/root", f"--runroot={storage}/run"]
    yield words
    tool(*words, "unshare", "rm", "-rf", f"{storage}/root", f"{storage}/run")
    tool(*words, "system", "migrate")  # ends the process that keeps its namespace
    tool("rm", "-rf", storage)


@pytest.mark.needs_subid
@pytest.mark.needs_user
@pytest.mark.slow
def test_podman(
    podman: list[str],
    demo_image: str,
    expected: tuple[str, list[str]],
    rootless: Rootless,
    tmp_path: Path,
) -> None:
    """What podman saves, in both forms, has the same image ID and diff IDs here."""
    archive = tmp_path / "a.tar"
    tool("skopeo", "copy", "-q", f"oci:{demo_image}", f"docker-archive:{archive}:localhost/pic:1")
    tool(*podman, "load", "-q", "-i", archive)
    for form in ("docker-archive", "oci-archive"):
        saved = tmp_path / f"{form}.tar"
        tool(*podman, "save", "-q", f"--format={form}", "-o", saved, "localhost/pic:1")
        rootless.ok("load", "--name", form, saved)
        check(rootless, form, expected)


@pytest.mark.needs_subid
@pytest.mark.needs_user
@pytest.mark.needs_fuse
@pytest.mark.slow
def test_podman_takes_what_became_of_a_container(
    podman: list[str], demo_own: Rootless, tmp_path: Path
) -> None:
    """Podman runs the image of a commit and the tar of an export, and sees what was changed."""
    script = """
        echo hi >/new; ln /new /twin; chown 7:8 /new; chmod 4711 /new; rm /etc/motd
        rm -r /usr/share/doc; mkdir /usr/share/doc; echo one >/usr/share/doc/one
        setfacl -m u:5:r /new 2>/dev/null || true
    """
    look = "stat -c '%u:%g %a %h %n' /new /twin; ls /usr/share/doc /etc/motd 2>/dev/null; cat /new"
    expected = "7:8 4711 2 /new\n7:8 4711 2 /twin\n/usr/share/doc:\none\nhi\n"
    demo_own.ok("run", "--name", "c", "debian-demo", "sh", "-c", script)
    demo_own.ok("commit", "-q", "c", "made")
    demo_own.ok("export", "-o", tmp_path / "c.tar", "c")
    archive = f"oci-archive:{tmp_path}/made.tar:localhost/made:1"
    tool("skopeo", "copy", "-q", f"oci:{demo_own.home.store}:localhost/made:latest", archive)
    tool(*podman, "load", "-q", "-i", tmp_path / "made.tar")
    tool(*podman, "import", "-q", tmp_path / "c.tar", "localhost/flat:1")
    runtime = Path(demo_own.executable).with_name("rootless-runtime")
    settings = tmp_path / "containers.conf"
    settings.write_text('[engine]\nruntime_supports_nocgroup = ["rootless-runtime"]\n')
    options = ("--cgroups=disabled", "--network=host", "--rm", "--log-driver=none")
    for image in ("localhost/made:1", "localhost/flat:1"):
        run = (
            "env",
            f"CONTAINERS_CONF={settings}",
            *podman,
            "--runtime",
            runtime,
            "--cgroup-manager=cgroupfs",
            "--events-backend=none",
        )
        found = tool(*run, "run", *options, image, "sh", "-c", look)
        assert found.replace("/usr/share/doc:\n", "") == expected.replace("/usr/share/doc:\n", "")


def test_others_read_the_store(demo: Rootless, expected: tuple[str, list[str]]) -> None:
    """Others (skopeo, umoci) take the store for an OCI layout, and find the plain layers."""
    image = f"{demo.home.store}:localhost/debian-demo:latest"
    manifest = json.loads(tool("skopeo", "inspect", "--raw", f"oci:{image}"))
    assert manifest["config"]["digest"] == expected[0]
    assert [layer["digest"] for layer in manifest["layers"]] == expected[1]
    assert tool("umoci", "ls", "--layout", demo.home.store) == "localhost/debian-demo:latest\n"


def test_skopeo_copies_out_of_the_store(demo: Rootless, tmp_path: Path) -> None:
    """An image can be copied out of the store with skopeo, which verifies every byte."""
    image = f"oci:{demo.home.store}:localhost/debian-demo:latest"
    tool("skopeo", "copy", "-q", image, f"oci:{tmp_path / 'out'}:x")
