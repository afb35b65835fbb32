"""With `--source-date-epoch` the same inputs give the same image, byte for byte.

The inputs are names, contents, modes and instructions: not the times of files, not the order in
which a folder lists them, not who builds, and not what is in the cache.
"""

import shutil
from pathlib import Path

import pytest
from build_cases import CASES, make_contexts, set_times, steps
from builders import with_demo
from executable import Home, Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

EPOCH = ("--source-date-epoch", "1000000000")


def built(rootless: Rootless, contexts: Path, name: str, *options: str) -> str:
    """Build a case and return its image ID."""
    for image, words in steps(CASES[name], contexts):
        rootless.ok("build", "-q", *EPOCH, *options, "-t", image, *words, timeout=120)
    return rootless.ok("inspect", "-f", ".Id", name).strip()


def backwards(source: Path, target: Path) -> None:
    """Copy a tree, the last names first, with times of its own and hard links kept as such."""
    target.mkdir(mode=source.stat().st_mode & 0o7777)
    for each in sorted(source.iterdir(), reverse=True):
        if each.is_dir() and not each.is_symlink():
            backwards(each, target / each.name)
        else:
            shutil.copy2(each, target / each.name, follow_symlinks=False)
    target.chmod(source.stat().st_mode & 0o7777)


def test_built_again_elsewhere(
    builder: Rootless,
    tmp_path: Path,
    demo_home: Home,
    contexts: Path,
    id_map_options: tuple[str, ...],
) -> None:
    """From a copy with other times, listed in another order, in a store without a cache."""
    other = with_demo(tmp_path, demo_home)
    copies = tmp_path / "copies"
    copies.mkdir()
    for name in ("copies", "users"):
        first = built(builder, contexts, name, *id_map_options)
        backwards(contexts / name, copies / name)
        set_times(copies / name, offset=100)
        assert built(other, copies, name, *id_map_options) == first, name


@pytest.mark.needs_subid
def test_built_with_another_map(builder: Rootless, tmp_path: Path, demo_home: Home) -> None:
    """Where no step gives files to others, an image does not tell whether there were sub-IDs."""
    other = with_demo(tmp_path, demo_home)
    contexts = make_contexts(tmp_path / "contexts", Path("/nonexistent"))
    for name in ("heredocs", "metadata", "archives"):
        first = built(builder, contexts, name)
        assert built(other, contexts, name, "--userns", "single") == first, name


def test_the_environment_names_the_time(builder: Rootless, contexts: Path) -> None:
    """SOURCE_DATE_EPOCH does what the option does; without both the time is now."""
    first = built(builder, contexts, "archives")
    words = ("build", "-q", "-t", "other", *steps(CASES["archives"], contexts)[0][1])
    builder.ok(*words, env={"SOURCE_DATE_EPOCH": EPOCH[1]})
    assert builder.ok("inspect", "-f", ".Id", "other").strip() == first
    assert builder.ok("inspect", "-f", ".Created", "other") == "2001-09-09T01:46:40Z\n"
    builder.ok(*words)
    assert builder.ok("inspect", "-f", ".Created", "other") > "2026"
