"""`rootless commit`, the real executable."""

import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path

import loading
import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

SCRIPT = """
rm /etc/motd; rm -r /usr/share/doc; mkdir /usr/share/doc; echo x >/usr/share/doc/new
mkdir -p /new/a; echo hi >/new/f; ln /new/f /new/twin; ln -s f /new/l; mkfifo /new/p
chown 3:4 /new/f; chmod 2711 /srv; touch -d @1.5 /new/a; echo >>/etc/passwd; rm -rf /opt
touch /opt; truncate -s 100M /new/sparse; echo end >>/new/sparse
"""
LIST = r"""
mounts='/(run|proc|sys|dev|etc/(hosts|hostname|resolv.conf))( |/|$)'
find / -xdev -printf '%p %y %m %U:%G %T@ %l\n' | grep -Ev "^$mounts" | sort
find /etc /new /usr/share /srv -xdev -type f | grep -Ev "^$mounts" | sort | xargs -d '\n' sha256sum
stat -c %i /new/f /new/twin | uniq | wc -l
"""


def test_the_image_shows_what_the_container_did(
    demo_own: Rootless, id_map_options: tuple[str, ...], overlay_driver: str
) -> None:
    """Names, kinds, modes, owners, times, links and contents, seen through the same map."""
    options = (*id_map_options, "--overlay-driver", overlay_driver)
    script = SCRIPT if not id_map_options else SCRIPT.replace("chown 3:4 /new/f;", "")
    demo_own.ok("run", *options, "--name", "c", "debian-demo", "sh", "-ec", script)
    expected = demo_own.ok("run", *options, "--name", "c", "debian-demo", "sh", "-c", LIST)
    demo_own.ok("commit", "-q", "c", "made")
    demo_own.ok("commit", "-q", "--squash", "c", "squashed")
    for image in ("made", "squashed"):
        found = demo_own.ok("run", *options, image, "sh", "-c", LIST)
        assert found.splitlines() == expected.splitlines(), image
    assert len(json.loads(demo_own.ok("inspect", "-f", ".RootFS.Layers", "squashed"))) == 1


def test_config_and_history(demo_own: Rootless, tmp_path: Path) -> None:
    """The image says how it was made, and what the options and the run said."""
    words = (
        "run",
        "--name",
        "c",
        "-e",
        "RUN=1",
        "-w",
        "/srv",
        "debian-demo",
        "sh",
        "-c",
        "echo >/x",
    )
    demo_own.ok(*words)
    changes = ("-c", 'ENTRYPOINT ["/bin/cat"]', "-c", "EXPOSE 80", "-c", "LABEL a=b")
    options = ("-m", "why ü", "-a", "me", "--iidfile", tmp_path / "id", *changes)
    image_id = demo_own.ok("commit", *options, "c", "quay.io/a/made:1").strip()
    assert (tmp_path / "id").read_text() == f"sha256:{image_id}"
    (shown,) = json.loads(demo_own.ok("inspect", "quay.io/a/made:1"))
    (base,) = json.loads(demo_own.ok("inspect", "debian-demo"))
    assert shown["Id"] == image_id
    assert shown["RootFS"]["Layers"][:-1] == base["RootFS"]["Layers"]
    assert shown["History"][:-1] == base["History"]
    step = shown["History"][-1]
    assert (step["created_by"], step["comment"]) == ("sh -c echo >/x", "why ü")
    assert (step["author"], shown["Author"]) == ("me", "me")
    config = shown["Config"]
    assert config["Cmd"] == ["sh", "-c", "echo >/x"]
    assert config["Entrypoint"] == ["/bin/cat"]
    assert "RUN=1" in config["Env"]
    assert not [each for each in config["Env"] if each.startswith(("HOSTNAME=", "HOME=", "TERM="))]
    assert config["WorkingDir"] == "/srv"
    assert config["ExposedPorts"] == {"80/tcp": {}}
    assert config["Labels"]["a"] == "b"


def test_nothing_changed_is_no_layer(demo_own: Rootless) -> None:
    """The history has an empty step, and the layers are the image's."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    demo_own.ok("commit", "-q", "c", "made")
    (shown,) = json.loads(demo_own.ok("inspect", "made"))
    (base,) = json.loads(demo_own.ok("inspect", "debian-demo"))
    assert shown["RootFS"]["Layers"] == base["RootFS"]["Layers"]
    assert shown["History"][-1]["empty_layer"] is True


def test_the_same_bytes_each_time(demo_own: Rootless, overlay_driver: str) -> None:
    """With a time of its own the same container gives the same image."""
    options = ("--name", "c", "--overlay-driver", overlay_driver)
    demo_own.ok("run", *options, "debian-demo", "sh", "-c", SCRIPT)
    epoch = ("--source-date-epoch", "1000000000")
    first = demo_own.ok("commit", "-q", *epoch, "c")
    time.sleep(1.1)
    assert demo_own.ok("commit", "-q", *epoch, "c", "again") == first
    assert demo_own.ok("commit", "-q", "c", env={"SOURCE_DATE_EPOCH": "1000000000"}) == first
    assert demo_own.ok("inspect", "-f", ".Created", "again") == "2001-09-09T01:46:40Z\n"
    newest = demo_own.ok("run", "again", "stat", "-c", "%Y", "/usr/share/doc/new")
    assert int(newest) == 1000000000


def test_while_it_runs(demo_own: Rootless, overlay_driver: str) -> None:
    """A running container goes on, and what it wrote so far is in the image."""
    options = ("-d", "--name", "c", "--overlay-driver", overlay_driver)
    demo_own.ok("run", *options, "debian-demo", "sh", "-c", "echo hi >/x; exec sleep 100")
    for _ in range(100):
        if "A /x" in demo_own.ok("diff", "c"):
            break
        time.sleep(0.05)
    said = demo_own("commit", "--pause", "c", "made")
    assert said.status == 0
    assert demo_own.ok("run", "made", "cat", "/x") == "hi\n"
    assert "c" in demo_own.ok("ps", "--format", "json")


def test_wrong_use(demo_own: Rootless) -> None:
    """One line each, and nothing is kept."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    before = loading.objects(demo_own.home.store)
    for words, says in (
        (("none", "x"), "no such container: none"),
        (("c", "UPPER"), "lower case"),
        (("-f", "docker", "c"), "no such format: docker"),
        (("-c", "RUN true", "c"), "not a change of an image: RUN true"),
        (("-c", "EXPOSE x", "c"), "not a port to expose: x"),
        (("--source-date-epoch", "9" * 20, "c"), "not a time"),
        (("--source-date-epoch", "x", "c"), "source-date-epoch"),
    ):
        said = demo_own("commit", *words)
        assert (said.status, said.stdout) == (125, ""), words
        assert says in said.stderr
        assert said.stderr.count("\n") == 1, said.stderr
    assert loading.objects(demo_own.home.store) == before


def test_a_name_that_no_layer_can_have(demo_own: Rootless) -> None:
    """It is named, and nothing is kept."""
    demo_own.ok("run", "--name", "c", "debian-demo", "touch", "/etc/.wh.passwd")
    before = loading.objects(demo_own.home.store)
    said = demo_own("commit", "c", "made")
    assert said.status == 125
    assert "name cannot be in an image: /etc/.wh.passwd" in said.stderr
    assert loading.objects(demo_own.home.store) == before
    assert loading.temp_files(demo_own.home.store) == []


def test_killed_in_the_middle(demo_own: Rootless) -> None:
    """Kill -9 at any time leaves no image, and what it leaves is swept by the next command."""
    demo_own.ok(
        "run", "--name", "c", "debian-demo", "sh", "-c", "head -c 60M /dev/zero >/big; sync"
    )
    before = loading.objects(demo_own.home.store)
    for delay in (0.3, 0.5, 0.7, 0.9):
        process = demo_own.start("commit", "c", "made", stdout=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        # It may have been done, and just not ended.
        if process.wait(10) == 0 or "localhost/made" in demo_own.ok("images"):
            break
        assert (
            demo_own("commit", "-c", "RUN x", "c").status == 125
        )  # any command that writes sweeps
        assert loading.temp_files(demo_own.home.store) == []
        assert loading.objects(demo_own.home.store) == before
    demo_own.ok("commit", "-q", "c", "made")
    size = demo_own.ok("run", "made", "stat", "-c", "%s", "/big")
    assert int(size) == 60 << 20


def test_skopeo_and_umoci_take_the_image(demo_own: Rootless, tmp_path: Path) -> None:
    """Out of the store, as an OCI layout; every byte is verified on the way."""
    demo_own.ok("run", "--name", "c", "debian-demo", "sh", "-c", SCRIPT)
    demo_own.ok("commit", "-q", "c", "made")
    source = f"oci:{demo_own.home.store}:localhost/made:latest"
    subprocess.run(["skopeo", "copy", "-q", source, f"oci:{tmp_path}/out:x"], check=True)
    config = subprocess.run(
        ["skopeo", "inspect", "--config", "--raw", f"oci:{tmp_path}/out:x"],
        capture_output=True,
        check=True,
    ).stdout
    digest = demo_own.ok("inspect", "-f", ".Id", "made").strip()
    assert hashlib.sha256(config).hexdigest() == digest
