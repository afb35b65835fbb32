"""What a plan was made of, and whether it holds. In children: what is noted is noted for good."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rootless.keeper.evidence import Evidence, sign_of

REQUEST = {
    "words": ["run", "-e", "A", "image", "echo", "hi"],
    "environ": {"A": "a", "B": "b", "HOME": "/h"},
    "umask": 0o22,
}


def in_child(body: Callable[[], None]) -> None:
    """Run a body in a child; its assertions are ours."""
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_fd)
        try:
            body()
        except BaseException as error:  # noqa: BLE001
            os.write(write_fd, repr(error).encode())
        os._exit(0)
    os.close(write_fd)
    with open(read_fd, encoding="utf-8") as file:
        said = file.read()
    os.waitpid(pid, 0)
    assert not said, said


def here() -> tuple[int, ...] | None:
    """Return the sign of the directory."""
    fd = os.open(".", os.O_PATH)
    try:
        return sign_of(fd)
    finally:
        os.close(fd)


def test_another_command_is_the_same_plan(tmp_path: Path) -> None:
    """Words after the image, and variables and folders that nobody looked at, may differ."""

    def body() -> None:
        evidence = Evidence(REQUEST)
        evidence.begin()
        assert os.environ["A"] == "a"
        assert os.environ.get("NONE") is None
        evidence.end(["echo", "hi"], [str(tmp_path)], has_volumes=False)
        other = {**REQUEST, "words": [*REQUEST["words"][:4], "ls"]}  # type: ignore[index]
        other["environ"] = {"A": "a", "B": "c"}
        assert evidence.command_of(other, (0, 0)) == ["ls"]
        assert evidence.command_of({**other, "words": REQUEST["words"][:4]}, here()) is None  # type: ignore[index]
        assert evidence.command_of({**other, "umask": 0o77}, here()) is None
        assert evidence.command_of({**other, "environ": {"A": "x"}}, here()) is None
        assert evidence.command_of({**other, "environ": {"A": "a", "NONE": ""}}, here()) is None

    in_child(body)


@pytest.mark.parametrize("change", ["write", "remove", "appear", "tree"])
def test_a_file_that_changes(tmp_path: Path, change: str) -> None:
    """Files that were opened, also such that were not there, must be as they were."""
    file, missing, tree = tmp_path / "file", tmp_path / "missing", tmp_path / "tree"
    file.write_text("x")
    tree.write_text("x")

    def body() -> None:
        evidence = Evidence(REQUEST)
        evidence.begin()
        assert file.read_text() == "x"
        assert not missing.exists()
        with pytest.raises(FileNotFoundError):
            missing.read_text()
        evidence.end(["echo", "hi"], [str(tree)], has_volumes=True)
        assert evidence.command_of(REQUEST, here()) == ["echo", "hi"]
        if change == "remove":
            file.unlink()
        else:
            {"write": file, "appear": missing, "tree": tree}[change].write_text("y")
            os.utime({"write": file, "appear": missing, "tree": tree}[change], ns=(1, 1))
        assert evidence.command_of(REQUEST, here()) is None

    in_child(body)


def test_the_directory_counts_where_it_was_asked_for() -> None:
    """A relative path makes the plan one for this directory only; all variables, for all."""

    def body() -> None:
        evidence = Evidence(REQUEST)
        evidence.begin()
        Path("x").absolute()
        assert len(dict(os.environ)) == 3
        evidence.end(["echo", "hi"], [], has_volumes=False)
        assert evidence.command_of(REQUEST, here()) == ["echo", "hi"]
        assert evidence.command_of(REQUEST, (0, 0)) is None
        more = {**REQUEST, "environ": {"A": "a", "B": "c", "HOME": "/h"}}
        assert evidence.command_of(more, here()) is None

    in_child(body)


@pytest.mark.parametrize("change", ["appear", "link", "remove"])
def test_what_was_only_looked_at(tmp_path: Path, change: str) -> None:
    """Folders that were looked for, and links that were followed, must be as they were."""
    missing, link, file = tmp_path / "missing", tmp_path / "link", tmp_path / "file"
    link.symlink_to("missing")
    file.touch()

    def body() -> None:
        evidence = Evidence({**REQUEST, "environ": {"A": "a", "_": "/bin/x"}})
        evidence.begin()
        assert not missing.exists()
        assert os.path.realpath(link) == str(missing)
        assert file.is_file()
        assert dict(os.environ)
        evidence.end(["echo", "hi"], [], has_volumes=False)
        again = {**REQUEST, "environ": {"A": "a", "_": "/bin/y"}}
        assert evidence.command_of(again, here()) == ["echo", "hi"]
        if change == "appear":
            missing.mkdir()
        elif change == "link":
            link.unlink()
            link.symlink_to("elsewhere")
        else:
            file.unlink()
        assert evidence.command_of(again, here()) is None

    in_child(body)
