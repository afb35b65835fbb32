"""`rootless.alias.definition`: what aliases.toml may say."""

from pathlib import Path

import pytest

from rootless.alias.definition import Alias, check_name, parse, read
from rootless.config.option_values import FLAG, TEXT, TEXTS
from rootless.errors import InvalidInput

OPTIONS = {"native": FLAG, "network": TEXT, "env": TEXTS, "volume": TEXTS, "profile": TEXTS}
FILE = Path("/p/aliases.toml")


def only(text: str) -> Alias:
    """Return the one alias of a text."""
    (found,) = parse(text.encode(), FILE, OPTIONS).values()
    return found


def test_the_least() -> None:
    """An image is enough: the command has the alias's name, and runs as on the host."""
    found = only('[aliases.node]\nimage = "node:22"\n')
    assert found == Alias("node", "node:22", ("node",), {"native": True})
    assert not found.is_pinned


def test_all_of_it() -> None:
    """Options, a command with words, output for the shell, a pinned image, a project's paths."""
    found = only(
        '[aliases."a.b"]\nimage = "x@sha256:00"\ncommand = ["c", "-d"]\nshell = "eval"\n'
        'native = false\nnetwork = "none"\nvolume = [".:/w"]\n'
    )
    values = {"network": "none", "volume": ("/p:/w",)}
    assert found == Alias("a.b", "x@sha256:00", ("c", "-d"), values, "eval")
    assert found.is_pinned
    assert only('[aliases.a]\nimage = "./x.sif"\ncommand = []\n').command == ()
    assert Path(only('[aliases.a]\nimage = "./x.sif"\n').image) == Path("/p/x.sif")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[profiles.a]", "profiles (the file has [aliases.NAME] only)"),
        ("aliases = 1", "aliases (it must be a table)"),
        ('[aliases]\na = "b"', "aliases.a (it must be a table)"),
        ("[aliases.a]", 'aliases.a (it needs image = "NAME")'),
        ('[aliases.a]\nimage = "x"\nnetwrok = "y"', "aliases.a.netwrok (no such option; did you"),
        ('[aliases.a]\nimage = "x"\nprofile = "y"', "aliases.a.profile (no such option"),
        ('[aliases.a]\nimage = "x"\nshell = "bash"', 'aliases.a.shell (it must be "eval"'),
        ('[aliases.a]\nimage = "x"\ncommand = "b"', "aliases.a.command (it must be an array"),
        ('[aliases."../a"]\nimage = "x"', "aliases.../a (a name has"),
        ('[aliases.rootless]\nimage = "x"', "aliases.rootless (a name has"),
        ("[", "the aliases are not TOML: /p/aliases.toml"),
    ],
)
def test_faults_have_their_place(text: str, fault: str) -> None:
    """A fault names the file, the table and the key."""
    with pytest.raises(InvalidInput) as error:
        parse(text.encode(), FILE, OPTIONS)
    assert fault in str(error.value)


@pytest.mark.parametrize("name", ["", "a/b", ".a", "-a", "a b", "rootless", "a\n", "x" * 65])
def test_names_that_cannot_be(name: str) -> None:
    """A name is a file's in a folder of the PATH, and never rootless itself."""
    with pytest.raises(InvalidInput, match="not a name for an alias"):
        check_name(name)
    assert check_name("python3.13") == "python3.13"


def test_no_file_has_none(tmp_path: Path) -> None:
    """Without a file there are no aliases."""
    assert read(tmp_path / "none", OPTIONS) == {}
