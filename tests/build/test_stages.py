"""Stages: which are built, and when."""

import time
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def test_side_by_side(builder: Rootless, tmp_path: Path) -> None:
    """Stages that do not need each other are built at the same time; --jobs 1 does one at a time.

    Each waits for the other to begin, in a folder that both have.
    """
    (tmp_path / "shared").mkdir(mode=0o777)
    wait = (
        "for i in $(seq 50); do test -e /shared/{1} && break; sleep 0.1; done; test -e /shared/{1}"
    )
    text = "".join(
        f"FROM debian-demo AS {own}\nRUN touch /shared/{own}; {wait.replace('{1}', other)}\n"
        for own, other in (("one", "two"), ("two", "one"))
    )
    text += "FROM scratch\n"
    text += "COPY --from=one /etc/debian_version /one\nCOPY --from=two /etc/passwd /two\n"
    (tmp_path / "Containerfile").write_text(text)
    words = ("build", "-v", f"{tmp_path}/shared:/shared", tmp_path)
    one_by_one = builder(*words, "--jobs", "1")
    assert one_by_one.status == 1  # the command's
    assert "Containerfile:2: " in one_by_one.stderr
    for each in (tmp_path / "shared").iterdir():
        each.unlink()
    assert builder(*words, "--jobs", "2").status == 0


def test_one_that_fails_stops_the_others(builder: Rootless, tmp_path: Path) -> None:
    """The failure is told at once, and the other stage is said to be stopped."""
    (tmp_path / "Containerfile").write_text(
        "FROM debian-demo AS slow\nRUN echo begun; exec sleep 600\n"
        "FROM debian-demo AS wrong\nRUN sleep 1; echo why; exit 3\n"
        "FROM scratch\nCOPY --from=slow /a /a\nCOPY --from=wrong /a /b\n"
    )
    began = time.monotonic()
    result = builder("build", "--jobs", "2", tmp_path)
    assert result.status == 3
    assert time.monotonic() - began < 30
    assert "Containerfile:4: " in result.stderr.splitlines()[-1]
    assert " STOPPED after" in result.stderr
    assert " why\n" in result.stderr


def test_only_what_is_needed(rootless: Rootless, tmp_path: Path) -> None:
    """A target is built with what it needs: other stages, and their bases, are not looked at."""
    (tmp_path / "f").write_text("f\n")
    (tmp_path / "Containerfile").write_text(
        "FROM scratch AS first\nCOPY f /f\nFROM nosuch:1 AS second\nRUN false\n"
        "FROM first AS third\nCOPY f /g\nFROM second\nRUN false\n"
    )
    result = rootless("build", "--target", "third", "-t", "made", tmp_path)
    assert result.status == 0
    assert "second" not in result.stderr
    assert "[first 2/2] COPY f /f" in result.stderr
    assert "[third 2/2] COPY f /g" in result.stderr
    by_number = rootless("build", "-q", "--target", "2", tmp_path)
    assert by_number.stdout == result.stdout


def test_another_base(builder: Rootless, tmp_path: Path) -> None:
    """--from names the first FROM's image, and an image of the store may be read from."""
    (tmp_path / "Containerfile").write_text(
        "FROM nosuch:1 AS base\nCOPY --from=localhost/debian-demo /etc/debian_version /version\n"
        "FROM base\n"
    )
    builder.ok("build", "--from", "debian-demo", "-t", "made", tmp_path)
    assert builder.ok("run", "made", "cat", "/version", "/etc/debian_version").startswith("12")


def test_contexts_with_a_name(builder: Rootless, tmp_path: Path) -> None:
    """A folder to copy from and an image in a name's place; what changes there is built anew."""
    other = tmp_path / "other"
    other.mkdir()
    (other / ".containerignore").write_text("private\n")
    (other / "private").touch()
    (other / "file").write_text("one\n")
    (tmp_path / "Containerfile").write_text(
        "FROM base\nCOPY --from=other . /got/\nRUN ls /got > /list\n"
    )
    words = ("build", "-t", "made", "--build-context", "other=other")
    words = (*words, "--build-context", "base=docker-image://debian-demo", ".")
    assert builder(*words, cwd=tmp_path).status == 0
    assert builder("run", "--rm", "made", "cat", "/list", "/got/file").stdout == "file\none\n"
    assert builder(*words, cwd=tmp_path).stderr.count("CACHED") == 2
    (other / "file").write_text("two\n")
    assert builder(*words, cwd=tmp_path).status == 0
    assert builder("run", "--rm", "made", "cat", "/got/file").stdout == "two\n"
    (tmp_path / "Containerfile").write_text("FROM base\nRUN true\nCOPY --from=other none /\n")
    failed = builder(*words, cwd=tmp_path)
    assert "Containerfile:3: no such file in the build context: none" in failed.stderr
