"""`rootless bundle`, the real executable; what a bundle does when it runs is in tests/run."""

import json
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with one image, `pic`."""
    layout = images.oci_layout(
        tmp_path / "layout", [images.small_layer()], tag="pic", config={"Cmd": ["/bin/show"]}
    )
    rootless.ok("load", "-q", layout)
    return rootless


def process(folder: Path) -> dict[str, object]:
    """Return what a bundle's config.json runs."""
    spec: dict[str, dict[str, object]] = json.loads((folder / "config.json").read_bytes())
    return spec["process"]


def test_help(rootless: Rootless) -> None:
    """The help says how a bundle is run, and that nothing is unpacked."""
    assert "not unpacked" in rootless.ok("bundle", "--help")
    shown = rootless.ok("bundle", "create", "--help")
    assert shown.startswith("Usage: rootless bundle create [OPTIONS] IMAGE DIR [COMMAND]...\n")
    assert "`rootless run --bundle DIR`" in shown
    assert "config.json" in rootless.ok("bundle", "spec", "--help")


def test_create(loaded: Rootless, tmp_path: Path) -> None:
    """A bundle is made at the folder, silently; it runs the image's command."""
    assert loaded.ok("bundle", "create", "pic", tmp_path / "made") == ""
    assert process(tmp_path / "made")["args"] == ["/bin/show"]
    assert process(tmp_path / "made").get("terminal", False) is False


def test_create_with_a_command(loaded: Rootless, tmp_path: Path) -> None:
    """Words after the folder are the command, also where they look like options."""
    loaded.ok("bundle", "create", "-t", "pic", tmp_path / "made", "sh", "-c", "echo", "--tty")
    assert process(tmp_path / "made")["args"] == ["sh", "-c", "echo", "--tty"]
    assert process(tmp_path / "made")["terminal"] is True


def test_create_refused(loaded: Rootless, tmp_path: Path) -> None:
    """No image, no folder to write in, or a bundle that is there: one line, nothing made."""
    made, file = tmp_path / "made", tmp_path / "file"
    file.touch()
    loading.refused(loaded, "bundle", "create", "nosuch", made, says=("no such image: nosuch",))
    loading.refused(loaded, "bundle", "create", "pic", file / "x", says=("cannot write", "file"))
    assert not made.exists()
    loaded.ok("bundle", "create", "pic", made)
    says = ("there is a bundle already", str(made), "name another folder")
    loading.refused(loaded, "bundle", "create", "pic", made, says=says)


def test_spec(rootless: Rootless, tmp_path: Path) -> None:
    """The default config.json is written into the current folder and named; once only."""
    assert rootless.ok("bundle", "spec", cwd=tmp_path) == "config.json\n"
    assert process(tmp_path)["args"]
    again = rootless("bundle", "spec", cwd=tmp_path)
    assert again.status == 125
    assert again.stderr == "rootless: there is one already: config.json (remove it first)\n"


@pytest.mark.needs_user
def test_spec_in_a_closed_folder(rootless: Rootless, tmp_path: Path) -> None:
    """A folder that cannot be written is one line."""
    tmp_path.chmod(0o500)
    result = rootless("bundle", "spec", cwd=tmp_path)
    tmp_path.chmod(0o700)
    assert result.status == 125
    assert result.stderr == "rootless: cannot write: Permission denied: config.json\n"


def test_no_such_command(rootless: Rootless) -> None:
    """A misspelt command is answered with the one that was meant."""
    result = rootless("bundle", "crate", "pic", "made")
    assert result.status == 125
    assert result.stderr == (
        "rootless: no such command: crate (did you mean create? see 'rootless bundle --help')\n"
    )
