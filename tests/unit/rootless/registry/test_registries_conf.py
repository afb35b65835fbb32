"""registries.conf: containers-registries.conf(5) and the order of its files."""

from pathlib import Path

import pytest

from rootless.errors import InvalidInput
from rootless.registry.registries_conf import (
    Mirror,
    RegistriesConf,
    RegistryEntry,
    load_registries_conf,
    parse_registries_conf,
)

EVERYTHING = b"""
unqualified-search-registries = ["registry.test", "docker.io"]
short-name-mode = "enforcing"
credential-helpers = ["containers-auth.json", "secretservice"]

[aliases]
debian = "docker.io/library/debian"

[[registry]]
location = "a.test/x/"
insecure = true
[[registry.mirror]]
location = "m1.test"
[[registry.mirror]]
location = "m2.test/y"
insecure = true
pull-from-mirror = "tag-only"

[[registry]]
prefix = "*.b.test"
blocked = true

[[registry]]
prefix = "c.test/org"
location = "d.test/other"
mirror-by-digest-only = true
[[registry.mirror]]
location = "m3.test"
"""


MIRRORED = "[[registry]]\nlocation = 'a.test'\n[[registry.mirror]]\nlocation = 'm'\n"


def test_everything() -> None:
    """Each setting is read; location and prefix stand for each other."""
    conf = parse_registries_conf(EVERYTHING, "conf")
    assert conf == RegistriesConf(
        entries={
            "a.test/x": RegistryEntry(
                "a.test/x",
                "a.test/x",
                insecure=True,
                mirrors=(Mirror("m1.test"), Mirror("m2.test/y", insecure=True, pulls="tag-only")),
            ),
            "*.b.test": RegistryEntry("*.b.test", blocked=True),
            "c.test/org": RegistryEntry(
                "c.test/org", "d.test/other", mirrors=(Mirror("m3.test", pulls="digest-only"),)
            ),
        },
        search=("registry.test", "docker.io"),
        aliases={"debian": "docker.io/library/debian"},
        short_name_mode="enforcing",
        credential_helpers=("containers-auth.json", "secretservice"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = [", "not TOML: conf"),
        ("\xff", "not TOML: conf"),
        ("[registries.search]\nregistries = ['a.test']", "version 1"),
        ("unqualified-search-registries = 'a'", "unqualified-search-registries is not an array"),
        ("short-name-mode = 'never'", "short-name-mode is 'never', not one of"),
        ("[[registry]]\ninsecure = true", "registry[0] has neither prefix nor location"),
        ("[[registry]]\nlocation = 'https://a.test'", "registry[0].location is a URL"),
        ("[[registry]]\nprefix = '*.a.test/x'", "registry[0].prefix may hold * only as *.HOST"),
        ("[[registry]]\nprefix = 'a.*.test'\nlocation = 'b.test'", "may hold * only"),
        ("[[registry]]\nlocation = 'a.test'\ninsecure = 1", "registry[0].insecure is not true or"),
        ("[[registry]]\nlocation = 'a.test'\n[[registry.mirror]]\n", "mirror[0] has no location"),
        (f"{MIRRORED}pull-from-mirror = 'some'", "pull-from-mirror is 'some'"),
        (
            MIRRORED.replace("[[registry.", "mirror-by-digest-only = true\n[[registry.")
            + "pull-from-mirror = 'all'",
            "cannot be given together",
        ),
        ("[aliases]\ndebian = 5", "aliases.debian is not a string"),
    ],
)
def test_faults(text: str, says: str) -> None:
    """Each fault names the file and the place in it."""
    with pytest.raises(InvalidInput) as error:
        parse_registries_conf(text.encode("latin-1"), "conf")
    assert says in str(error.value)
    assert "conf" in str(error.value)


def test_the_order_of_files(tmp_path: Path) -> None:
    """Main file, the folder's files by name, recorded aliases: the later wins, piece by piece."""
    user = tmp_path / ".config/containers"
    (user / "registries.conf.d").mkdir(parents=True)
    (user / "registries.conf").write_text(
        'unqualified-search-registries = ["a.test"]\n'
        '[aliases]\none="a.test/one"\ntwo="a.test/two"\n'
        "[[registry]]\nlocation='x.test'\ninsecure=true\nblocked=true"
    )
    (user / "registries.conf.d/20.conf").write_text("unqualified-search-registries = ['c.test']")
    (user / "registries.conf.d/10.conf").write_text(
        "unqualified-search-registries = ['b.test']\nshort-name-mode = 'disabled'\n"
        "[aliases]\none=''\n[[registry]]\nlocation='x.test'\ninsecure=true"
    )
    (user / "registries.conf.d/not.conf.off").write_text("nonsense [")
    recorded = tmp_path / ".cache/containers"
    recorded.mkdir(parents=True)
    (recorded / "short-name-aliases.conf").write_text('[aliases]\nthree="a.test/three"')
    conf = load_registries_conf({}, tmp_path)
    assert conf.search == ("c.test",)
    assert conf.short_name_mode == "disabled"
    assert conf.aliases == {"two": "a.test/two", "three": "a.test/three"}
    assert conf.entries["x.test"] == RegistryEntry("x.test", "x.test", insecure=True)


def test_the_variable_names_the_main_file(tmp_path: Path) -> None:
    """$CONTAINERS_REGISTRIES_CONF stands for the main file; a missing one is an error."""
    file = tmp_path / "mine.conf"
    file.write_text("unqualified-search-registries = ['mine.test']")
    environ = {"CONTAINERS_REGISTRIES_CONF": str(file)}
    assert load_registries_conf(environ, tmp_path).search == ("mine.test",)
    file.unlink()
    with pytest.raises(InvalidInput, match=r"cannot read: No such file.*mine\.conf"):
        load_registries_conf(environ, tmp_path)
    file.write_bytes(b"#" * (5 << 20))
    with pytest.raises(InvalidInput, match="too large"):
        load_registries_conf(environ, tmp_path)
