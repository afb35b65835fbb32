"""A layer out of an upperdir, in the process that has it."""

import os
import tarfile
from pathlib import Path

from images import LayerBuilder
from living_records import a_record
from trees import build_tree

from rootless.build.run_inside import StepInside
from rootless.containers.root_files import RootFiles
from rootless.containers.run_folder import RunFolder
from rootless.oci.runtime_spec import Mount


def test_from_the_spec_to_the_tar(tmp_path: Path) -> None:
    """Variables are added; what was made for its mounts is in no layer; times are clamped."""
    tree = build_tree(tmp_path / "layers", [LayerBuilder().directory("etc", mtime=1)])
    container = a_record().container
    read_fd, told = os.pipe()
    files = RootFiles(tree, (), None, container.maps)
    inside = StepInside(container, files, told, latest_ns=5 * 10**9, env=("S=ecret",))
    spec = inside.furnish(RunFolder(tmp_path, -1), container.spec)
    assert spec.process.env == (*container.spec.process.env, "S=ecret")
    assert spec.mounts == (Mount("/m"),)
    upper = tmp_path / "upper"
    (upper / "m").mkdir(parents=True)
    (upper / "new").write_text("x")
    inside.close()
    inside.collect(upper)
    with open(read_fd, "rb") as tar, tarfile.open(fileobj=tar, mode="r|") as archive:
        found = {member.name: member.mtime for member in archive}
    assert found == {".": 5, "new": 5}


def test_nobody_reads(tmp_path: Path) -> None:
    """Who does not read to the end is not told that he did not."""
    tree = build_tree(tmp_path / "layers", [LayerBuilder()])
    container = a_record().container
    read_fd, told = os.pipe()
    os.close(read_fd)
    (tmp_path / "upper").mkdir()
    (tmp_path / "upper" / "new").write_text("x")
    StepInside(container, RootFiles(tree, (), None, container.maps), told).collect(
        tmp_path / "upper"
    )
