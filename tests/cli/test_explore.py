"""`rootless history`, `tree` and `explore`, the real executable."""

import contextlib
import json
import os
import pty
import select
import time
from pathlib import Path

import images
import pytest
from executable import Rootless
from pseudo_terminal import PseudoTerminal


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with `base`, of one layer, and `top`, of two."""
    base = images.LayerBuilder().directory("etc").file("etc/a", b"a" * 1000).file("etc/b", b"b")
    top = images.LayerBuilder().whiteout("etc/a").directory("opt").file("opt/\x1b[31m", b"new")
    rootless.ok("load", "-q", images.docker_archive(tmp_path / "1.tar", [base], names=["base"]))
    rootless.ok("load", "-q", images.docker_archive(tmp_path / "2.tar", [base, top], names=["top"]))
    return rootless


def test_history(loaded: Rootless) -> None:
    """The steps, the last one first; as a table, as JSON and by a template."""
    lines = loaded.ok("history", "top").splitlines()
    assert lines[0].split() == ["ID", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert [line.split()[0] for line in lines[2:]] == ["<missing>"]
    steps = json.loads(loaded.ok("history", "--format", "json", "top"))
    assert steps[0]["tags"] == ["docker.io/library/top:latest"]
    assert [step["CreatedBy"] for step in steps] == ["tests/images.py"] * 2
    whole = loaded.ok("inspect", "-f", "{{.Id}}", "top")
    assert loaded.ok("history", "-q", "--no-trunc", "top") == f"{whole}<missing>\n"
    shown = loaded.ok("history", "-H", "--format", r"{{.CreatedBy}}\t{{.Size}}", "base")
    assert shown == f"tests/images.py\t{steps[1]['size'] / 1000:.3g} kB\n"
    assert loaded("history", "--format", "xml", "top").status == 125


def test_tree(loaded: Rootless) -> None:
    """Each layer with what it does, and the images that end with it."""
    lines = loaded.ok("tree", "top").splitlines()
    assert lines[1:4:2] == ["Tags:     [docker.io/library/top:latest]", "Image Layers"]
    assert lines[4].startswith("├── ID: ")
    assert lines[4].endswith("+2 files 1 kB  Top Layer of: [docker.io/library/base:latest]")
    assert "+1 file 3 B, -1 deleted, hides 1 kB  Top Layer of: [docker.io/library/top" in lines[5]
    assert loaded.ok("image", "tree", "top").splitlines() == lines


def test_explore_for_machines(loaded: Rootless) -> None:
    """All of it as JSON; without a terminal one line says so."""
    shown = json.loads(loaded.ok("explore", "--json", "top"))
    assert shown["image"]["sizeBytes"] == 1004
    assert shown["image"]["inefficientBytes"] == 1000
    assert shown["image"]["fileReference"] == [{"count": 1, "sizeBytes": 1000, "file": "/etc/a"}]
    assert [(each["path"], each["change"]) for each in shown["layer"][1]["fileList"]] == [
        ("/etc/a", "D"),
        ("/opt", "A"),
        ("/opt/\x1b[31m", "A"),
    ]
    said = loaded("explore", "top")
    assert said.stderr == "rootless: explore needs a terminal (--json prints it for machines)\n"
    assert said.status == 125


def test_explore_on_a_terminal(loaded: Rootless) -> None:
    """The screen comes up with the layers, no escape of a name's reaches it, and q ends it."""
    ours, theirs = pty.openpty()
    process = loaded.start("explore", "top", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen, end = b"", time.monotonic() + 30
    while b"tests/images.py" not in screen and time.monotonic() < end:
        if select.select([ours], [], [], 1)[0]:
            screen += os.read(ours, 1 << 16)
    os.write(ours, b"q")
    with contextlib.suppress(OSError):  # EIO: it has closed the terminal
        while time.monotonic() < end and select.select([ours], [], [], 10)[0]:
            screen += os.read(ours, 1 << 16)
    assert process.wait(10) == 0
    os.close(ours)
    assert b"docker.io/library/top:latest" in screen
    assert b"opt/\x1b[31m" not in screen


def test_version_and_info(loaded: Rootless) -> None:
    """Both answer editors and scripts in podman's words."""
    assert "Client:         rootless" in loaded.ok("version")
    known = loaded.ok("version", "--format", "{{.Client.Version}}").strip()
    assert loaded.ok("--version") == f"rootless {known}\n"
    info = json.loads(loaded.ok("info", "--format", "json"))
    assert info["store"]["graphRoot"] == str(loaded.home.store)
    assert info["store"]["imageStore"]["number"] == 2
    assert info["store"]["containerStore"]["running"] == 0
    assert info["version"]["Version"] == known
    assert f"  graphRoot: {loaded.home.store}\n" in loaded.ok("info")
    assert loaded.ok("system", "info", "-f", "{{.host.os}}") == "linux\n"


def test_lists_by_template(loaded: Rootless) -> None:
    """`images` and `ps` print what a template asks for."""
    printed = loaded.ok("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    assert sorted(printed) == ["docker.io/library/base:latest", "docker.io/library/top:latest"]
    loaded.ok("create", "--name", "c", "--label", "a=b", "top", "sleep", "1")
    known = loaded.ok("ps", "-aq").strip()
    words = ("ps", "-a", "--filter", "label=a=b", "--format")
    assert loaded.ok(*words, "{{.ID}} {{.Names}} {{.State}}") == f"{known} c created\n"
    assert loaded.ok(*words, "{{json .Labels}}") == '{"a": "b"}\n'
    assert loaded.ok(*words, r"table {{.Names}}\t{{.Image}}").split() == [
        *("NAMES", "IMAGE", "c", "docker.io/library/top:latest")
    ]
    said = loaded(*words, "{{.Nope}}")
    assert (said.status, said.stderr.count("\n")) == (125, 1)


def test_diff_of_images(loaded: Rootless) -> None:
    """One image against another, and against what is below its last layer."""
    changes = ["C /etc", "D /etc/a", "A /opt", "A /opt/\x1b[31m"]
    assert loaded.ok("diff", "base", "top").split("\n")[:-1] == changes
    assert loaded.ok("diff", "top").split("\n")[:-1] == changes
    assert loaded.ok("image", "diff", "top", "base").split("\n")[:-1] == [
        *("C /etc", "A /etc/a", "D /opt")
    ]
    shown = json.loads(loaded.ok("diff", "--format", "json", "base", "top"))
    assert shown["deleted"] == ["/etc/a"]
    said = loaded("diff", "base", "none")
    assert (said.status, said.stderr.count("\n")) == (125, 1)


def test_without_the_extra(loaded: Rootless, tmp_path: Path) -> None:
    """Where textual is missing one line says what to install, and what else there is."""
    (tmp_path / "textual.py").write_text("raise ModuleNotFoundError('gone', name='textual')\n")
    environ = {**loaded.home.environ, "PYTHONPATH": str(tmp_path)}
    with PseudoTerminal(loaded.command("explore", "top"), environ) as terminal:
        status, said = terminal.finish()
    assert status == 125
    assert said.strip() == (
        "rootless: textual is not installed "
        "(pip install 'rootless[tui]', or use --json or `rootless tree`)"
    )
