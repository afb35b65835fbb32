"""Twelve Containerfiles of real kinds: their images run, and are what buildah makes of them.

Each is built once by us with either ID map, and once by Debian's buildah, as an ordinary user; that
buildah takes our images out of our store, and shows both as it mounts them.
"""

from pathlib import Path

import pytest
from build_cases import CASES, TOKEN, Case
from build_judge import ACCEPTED, differences, rows
from builders import Builders

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

PAGE = Path(__file__).parents[2] / "docs" / "build.md"
EACH = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


@EACH
def test_its_image_runs(
    builders: Builders, case: Case, id_map: str, id_map_options: tuple[str, ...]
) -> None:
    """With sub-IDs and without, the image does what it is for."""
    rootless = builders.ours(case, id_map, id_map_options)
    if case.says:
        assert rootless.ok("run", *id_map_options, case.name) == case.says


@pytest.mark.needs_subid
@EACH
def test_it_is_what_buildah_builds(
    builders: Builders, case: Case, id_map: str, id_map_options: tuple[str, ...]
) -> None:
    """The same names, modes, owners, attributes, links, times and contents, and the same config."""
    rootless = builders.ours(case, id_map, id_map_options)
    buildah, expected = builders.judge(case)
    buildah.pull(f"oci:{rootless.home.store}:localhost/{case.name}:latest", "ours")
    (found,) = buildah.shown("ours")
    assert len(expected.listing) > 20
    lines = list(differences(expected, found, builders.began_ns))
    known = rows(case.name, id_map)
    unexplained = [line for line in lines if not any(row.covers(line) for row in known)]
    assert unexplained == []
    assert [row for row in known if not any(row.covers(line) for line in lines)] == []


def test_a_secret_is_nowhere(
    builders: Builders, id_map: str, id_map_options: tuple[str, ...]
) -> None:
    """No file of the user's has it: layers, configs, cache, logs, what a run left."""
    rootless = builders.ours(CASES["secrets-and-caches"], id_map, id_map_options)
    files = [path for path in rootless.home.path.rglob("*") if path.is_file()]
    # what has another name is the demo's, which was there before
    own = [path for path in files if path.stat().st_nlink == 1]
    assert len(own) > 20
    assert [path for path in own if TOKEN.encode() in path.read_bytes()] == []


def test_what_differs_is_documented() -> None:
    """The page for users has a row for each reason."""
    page = PAGE.read_text()
    assert [row.reason for row in ACCEPTED if f"| {row.reason} |" not in page] == []
