"""`rootless.config.profiles`: which file's word counts, and what a profile may say."""

from pathlib import Path

import pytest

from rootless.config.option_values import FLAG, TEXT, TEXTS
from rootless.config.profiles import Setting, Source, find_project_file, load, profile, sources
from rootless.config.trust import Trust
from rootless.errors import InvalidInput, NotFound
from rootless.paths import Paths

OPTIONS = {"network": TEXT, "read-only": FLAG, "env": TEXTS, "profile": TEXTS, "volume": TEXTS}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A user's folders."""
    settings = (tmp_path / "own.toml", tmp_path / "machine.toml")
    return Paths(tmp_path, tmp_path, tmp_path, settings, state=tmp_path / "state")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder."""
    folder = tmp_path / "project" / "deep"
    folder.mkdir(parents=True)
    return folder


def trusted(paths: Paths, file: Path, text: str) -> Path:
    """Write a file and trust it."""
    file.write_text(text)
    Trust(paths.state).add(file, file.read_bytes())
    return file


def test_the_nearest_word_counts(paths: Paths, project: Path) -> None:
    """An option comes out of the first file that has it: project, user, machine."""
    own, machine = paths.settings
    machine.write_text('[profiles.dev]\nnetwork = "host"\nenv = ["A=m"]\nread-only = true\n')
    own.write_text('additional_stores = []\n[profiles.dev]\nnetwork = "none"\nenv = { A = "o" }\n')
    file = trusted(
        paths, project.parent / ".rootless.toml", '[profiles.dev]\nnetwork = "private"\n'
    )
    found = load(sources(paths, project), OPTIONS)
    assert found == {
        "dev": {
            "network": Setting("private", file),
            "env": Setting(("A=o",), own),
            "read-only": Setting(True, machine),
        }
    }


def test_a_stranger_s_file_has_no_say(paths: Paths, project: Path) -> None:
    """What is not trusted changes nothing; who asks for what only it has is told."""
    paths.settings[0].write_text('[profiles.dev]\nnetwork = "none"\n')
    file = project / ".rootless.toml"
    file.write_text('[profiles.dev]\nnetwork = "host"\nvolume = ["~:/h"]\n[profiles.evil]\n')
    found = sources(paths, project)
    assert profile(found, OPTIONS, "dev") == {"network": Setting("none", paths.settings[0])}
    with pytest.raises(InvalidInput, match=r"not trusted: .*rootless config trust"):
        profile(found, OPTIONS, "evil")
    Trust(paths.state).add(file, b"something else")
    with pytest.raises(InvalidInput, match=r"changed since it was trusted"):
        profile(sources(paths, project), OPTIONS, "evil")
    file.write_bytes(b"\xff no toml")
    with pytest.raises(NotFound, match=r"no such profile: evil \(there are: dev\)"):
        profile(sources(paths, project), OPTIONS, "evil")


def test_paths_are_the_project_s(paths: Paths, project: Path) -> None:
    """A relative path in a project's file is below its folder; in the user's it stays."""
    text = '[profiles.a]\nvolume = [".:/w"]\nimage = "./x.sif"\n'
    trusted(paths, project.parent / ".rootless.toml", text)
    paths.settings[0].write_text('[profiles.b]\nvolume = [".:/w"]\n')
    found = load(sources(paths, project), OPTIONS)
    assert found["a"]["volume"].value == (f"{project.parent}:/w",)
    assert found["a"]["image"].value == str(project.parent / "x.sif")
    assert found["b"]["volume"].value == (".:/w",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("profiles = 1", "profiles (it must be a table)"),
        ("[profiles]\na = 1", "profiles.a (it must be a table)"),
        ('[profiles."a b"]', "profiles.a b (a name has letters"),
        ("[profiles.a]\nimage = []", "profiles.a.image (it must be a string)"),
        ('[profiles.a]\ncommand = "ls -l"', "profiles.a.command (it must be an array of words"),
        ('[profiles.a]\nprofile = ["b"]', "profiles.a.profile (no such option"),
        ("additional_stores = []", "additional_stores (a project's file has [profiles.NAME] only)"),
        ("[", "the project's settings are not TOML"),
    ],
)
def test_faults_have_their_place(text: str, fault: str) -> None:
    """A fault names the file, the table and the key."""
    source = Source(Path("/p/.rootless.toml"), text.encode(), is_project=True)
    with pytest.raises(InvalidInput) as error:
        load([source], OPTIONS)
    assert fault in str(error.value)
    assert "/p/.rootless.toml" in str(error.value)


def test_the_nearest_file_is_the_project_s(tmp_path: Path) -> None:
    """It is looked for upwards; a folder of that name is none."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / ".rootless.toml").mkdir()
    (tmp_path / ".rootless.toml").touch()
    assert find_project_file(deep) == tmp_path / ".rootless.toml"
    (tmp_path / "a" / ".rootless.toml").touch()
    assert find_project_file(deep) == tmp_path / "a" / ".rootless.toml"


def test_no_such_profile() -> None:
    """Without any there is a way to see what there would be."""
    with pytest.raises(NotFound, match=r"no such profile: x .*rootless config show"):
        profile([], OPTIONS, "x")
