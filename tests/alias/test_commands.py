"""`rootless alias`: add, list, remove, edit, sync, doctor, init."""

import json
from pathlib import Path

import pytest
from desks import Desk
from executable import Rootless
from registries import RegistryServer

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

TEAM = """# of the team
[aliases.tool]
image = "debian-demo"  # why
command = ["echo", "of", "it"]
"""


@pytest.mark.both_users
def test_the_life_of_an_alias(desk: Desk) -> None:
    """It is added, called, listed, changed, and removed with its definition."""
    said, told = desk.alias("add", "hi", "--image", "debian-demo", "-e", "A=1", "--", "sh", "-c")
    assert (said, told) == (f"{desk.binaries}/hi\n", "")
    assert desk.sh("hi 'echo $A'")[0] == "1\n"
    lines = desk.alias("list")[0].splitlines()
    assert lines[0].split() == ["NAME", "IMAGE", "COMMAND", "DEFINED", "IN"]
    assert lines[1].split()[:4] == ["hi", "debian-demo", "sh", "-c"]
    (listed,) = json.loads(desk.alias("list", "--format", "json")[0])
    assert (listed["Name"], listed["Installed"]) == ("hi", True)
    assert listed["Options"]["env"] == ["A=1"]
    desk.alias("add", "hi", "--image", "debian-demo", "-o", "read-only", "--", "sh", "-c")
    desk.sh("hi 'touch /usr/x' 2>&1 | grep -q 'Read-only file system'")
    assert desk.alias("doctor")[0] == "all aliases are well\n"
    assert desk.alias("remove", "hi")[0] == "hi\n"
    assert list(desk.binaries.iterdir()) == []
    assert desk.alias("list")[0].count("\n") == 1
    assert "no such alias: hi" in desk.alias("remove", "hi", status=125)[1]


def test_what_it_runs(desk: Desk) -> None:
    """Its name by default, words of its own, or what the image says."""
    desk.alias("add", "uname", "--image", "debian-demo")
    assert desk.sh("uname -s")[0] == "Linux\n"
    desk.alias("add", "own", "--image", "debian-demo", "--image-command")
    assert "--entrypoint" not in (desk.binaries / "own").read_text()
    assert "exec" in (desk.binaries / "own").read_text()


def test_refusals(desk: Desk) -> None:
    """One line each, and nothing is written."""
    for words, said in (
        (("add", "a/b", "--image", "debian-demo"), "not a name for an alias: a/b"),
        (("add", "a"), "no image given: a"),
        (("add", "a", "--image", "localhost/none"), "no such image: localhost/none"),
        (("add", "a", "--image", "debian-demo", "-o", "memroy=1"), "did you mean memory?"),
        (("add", "a", "--image", "debian-demo", "-o", "umask=9"), "not a file mode mask: 9"),
        (("add", "a", "--image", "debian-demo", "--share", "all"), "can be shared: all"),
        (("init", "tcsh"), "not a shell that is known: tcsh"),
    ):
        told = desk.alias(*words, status=125)[1]
        assert said in told
        assert told.count("\n") == 1
    assert not desk.binaries.exists()
    desk.binaries.mkdir(parents=True)
    (desk.binaries / "mine").write_text("#!/bin/sh\n")
    told = desk.alias("add", "mine", "--image", "debian-demo", status=125)[1]
    assert "another command of that name" in told
    assert "the command is no alias" in desk.alias("remove", "mine", status=125)[1]
    assert (desk.binaries / "mine").read_text() == "#!/bin/sh\n"


@pytest.mark.both_users
def test_a_project_s_tools(desk: Desk) -> None:
    """A checked-in file is asked for, installed, pinned with its comments kept, and followed."""
    file = desk.folder / "aliases.toml"
    deep = desk.folder / "deep"
    deep.mkdir()
    file.write_text(TEAM)
    told = desk.alias("sync", status=125)[1]
    assert "the file is not trusted" in told
    assert not desk.binaries.exists()
    said, told = desk.alias("sync", "--yes")
    assert said == f"{desk.binaries}/tool  debian-demo\n"
    assert "--pin names it by its digest" in told
    assert desk.sh("cd deep; tool now")[0] == "of it now\n"
    file.write_text(f'{TEAM}[aliases.last]\nimage = "localhost/none"\n')
    desk.alias("sync", "--pin", "--yes", status=125)
    assert "sha256:" not in file.read_text()  # all are pinned at once, or none
    file.write_text(TEAM)
    desk.alias("sync", "--pin", "--yes")
    text = file.read_text()
    assert text.startswith("# of the team\n[aliases.tool]\nimage = ")
    assert "debian-demo:latest@sha256:" in text
    assert "# why" in text
    desk.alias("sync")  # what --pin wrote is trusted
    assert desk.sh("tool pinned")[0] == "of it pinned\n"
    file.write_text(text.replace("tool", "other"))
    assert "changed since it was trusted" in desk.alias("sync", status=125)[1]
    faults = desk.alias("doctor", status=1)[0]
    assert f"tool: {file} does not define it any more: rootless alias remove tool" in faults
    said = desk.alias("sync", "--yes", str(file))[0]
    assert f"removed: {desk.binaries}/tool" in said
    assert [each.name for each in desk.binaries.iterdir()] == ["other"]
    desk.alias("remove", "other")
    assert "other" in file.read_text()


def test_two_files_want_one_name(desk: Desk) -> None:
    """The first one keeps it, unless the other takes it over."""
    file = desk.folder / "aliases.toml"
    file.write_text(TEAM)
    desk.alias("sync", "--yes")
    told = desk.alias("add", "tool", "--image", "debian-demo", "--", "true", status=125)[1]
    assert f"the alias is defined in {file}" in told
    desk.alias("add", "tool", "--image", "debian-demo", "--force", "--", "echo", "mine")
    assert desk.sh("tool")[0] == "mine\n"


def test_a_hostile_name_shows_its_escapes(desk: Desk) -> None:
    """What a stranger's file wants is shown without the escapes that would hide it."""
    file = desk.folder / "aliases.toml"
    file.write_text('[aliases.a]\nimage = "debian-demo"\ncommand = ["\\u001b[8mhidden"]\n')
    done = desk.sh("script -qec 'rootless alias sync' /dev/null <<<n; true")[0]
    assert "\x1b[8m" not in done
    assert "hidden" in done
    assert not desk.binaries.exists()
    desk.alias("sync", "--yes")
    for words in (("doctor",), ("list",)):
        said = desk.alias(*words, status=1 if words == ("doctor",) else 0)[0]
        assert "hidden" in said
        assert "\x1b" not in said


def test_edit(desk: Desk) -> None:
    """What an editor leaves is checked and installed; a fault changes nothing."""
    desk.alias("add", "hi", "--image", "debian-demo", "--", "echo", "hi")
    desk.sh("EDITOR='sed -i s/hi/ho/' rootless alias edit")
    assert desk.sh("ho")[0] == "ho\n"
    assert not (desk.binaries / "hi").exists()
    _, told = desk.sh("EDITOR='sed -i s/image/imago/' rootless alias edit", status=125)
    assert "aliases.ho.imago (no such option" in told
    assert desk.sh("ho")[0] == "ho\n"
    assert desk.sh("EDITOR=true rootless alias edit")[0] == "nothing changed\n"
    assert "no such editor" in desk.sh("EDITOR=no-editor rootless alias edit", status=125)[1]


def test_doctor_names_what_is_wrong(desk: Desk) -> None:
    """A missing command, a PATH without the folder, a command before it, a stale shim."""
    desk.alias("add", "nope", "--image", "debian-demo")
    assert desk.alias("doctor", status=1)[0] == "nope: the image has no command nope on its PATH\n"
    said, _ = desk.sh("nope; echo $?")
    assert said == "127\n"
    without = desk.environ["PATH"].split(":", 1)[1]
    said, _ = desk.sh("rootless alias doctor", status=1, PATH=without)
    assert f"PATH: {desk.binaries} is not in the PATH" in said
    shim = desk.binaries / "nope"
    shim.write_text(shim.read_text().replace("--native", "--init"))
    assert "says something else by now: rootless alias sync" in desk.alias("doctor", status=1)[0]
    desk.alias("sync")
    assert "--native" in shim.read_text()


def test_output_for_the_shell(desk: Desk) -> None:
    """An alias made with --eval sets something in the shell, by the function of `init`."""
    desk.alias("add", "setx", "--image", "debian-demo", "--eval", "--", "echo", "X=7;")
    said, _ = desk.sh('eval "$(rootless alias init bash)"; setx Y=8; echo $X $Y')
    assert said == "7 8\n"
    assert desk.sh("setx")[0] == "X=7;\n"


def test_faults_in_the_file(desk: Desk) -> None:
    """A fault is one line with the file and the place, whatever is asked."""
    file = desk.home / ".config" / "rootless" / "aliases.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[aliases.a]\nimage = "x"\nread-only = "yes"\n')
    fault = f"rootless: wrong setting: {file}: aliases.a.read-only (it must be true or false)\n"
    for words in (("list",), ("doctor",), ("sync",), ("remove", "a")):
        assert desk.alias(*words, status=125)[1] == fault


def test_pinned_by_the_registry_s_digest(rootless: Rootless, demo_registry: RegistryServer) -> None:
    """What is pinned is pulled by its digest where it is not there, by whoever calls it first."""
    home = Path(rootless.home.environ["HOME"])
    desk = Desk(rootless, home, home)
    image = f"{demo_registry.host}/debian:demo"
    options = 'command = ["echo"]\ntls-verify = false\nlazy = "never"\n'
    (home / "aliases.toml").write_text(f'[aliases.tool]\nimage = "{image}"\n{options}')
    told = desk.alias("sync", "--yes", "--pin")[1]
    assert "may change" not in told
    (listed,) = json.loads(desk.alias("list", "--format", "json")[0])
    assert listed["Image"].startswith(f"{image}@sha256:")
    rootless.ok("rmi", "--all")
    assert "the first call pulls it" in desk.alias("doctor", status=1)[0]
    assert desk.sh("tool pulled")[0] == "pulled\n"
    assert desk.alias("doctor")[0] == "all aliases are well\n"
