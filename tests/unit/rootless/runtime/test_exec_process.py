"""The process that `exec` runs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.errors import InvalidInput, NotFound
from rootless.oci.runtime_spec import Capabilities, Process, User
from rootless.runtime.exec_process import ProcessWords, changed, process_for

OWN = Process(
    args=("own",),
    env=("A=1",),
    cwd="/own",
    terminal=True,
    user=User(5, 6, (7,)),
    capabilities=Capabilities(bounding=("CAP_CHOWN",), permitted=("CAP_CHOWN",)),
)


def test_only_what_is_said_changes() -> None:
    """The command is new; the rest is the container's own, without its terminal."""
    process = changed(OWN, ProcessWords(("ls", "-l")))
    assert (process.args, process.env, process.cwd) == (("ls", "-l"), ("A=1",), "/own")
    assert (process.user, process.capabilities) == (OWN.user, OWN.capabilities)
    assert not process.terminal


def test_everything_changes() -> None:
    """Each option has its member."""
    words = ProcessWords(
        ("ls",),
        cwd="/tmp",
        env=("A=2", "B=3"),
        terminal=True,
        user="8:9",
        additional_gids=(10, 11),
        capabilities=("CAP_KILL",),
        no_new_privileges=True,
    )
    process = changed(OWN, words)
    assert process.env == ("A=1", "A=2", "B=3")
    assert (process.cwd, process.terminal, process.no_new_privileges) == ("/tmp", True, True)
    assert process.user == User(8, 9, (10, 11))
    assert process.capabilities == Capabilities(
        bounding=("CAP_CHOWN", "CAP_KILL"),
        permitted=("CAP_CHOWN", "CAP_KILL"),
        effective=("CAP_KILL",),
    )


@given(st.integers(0, 1 << 31), st.none() | st.integers(0, 1 << 31))
def test_users(uid: int, gid: int | None) -> None:
    """UID alone keeps the group."""
    text = str(uid) if gid is None else f"{uid}:{gid}"
    user = changed(OWN, ProcessWords(("ls",), user=text)).user
    assert user == User(uid, 6 if gid is None else gid, (7,))


def test_a_container_with_every_capability() -> None:
    """Without sets in its spec it has them all, and so has what is executed in it."""
    own = Process(args=("own",))
    assert changed(own, ProcessWords(("ls",), capabilities=("CAP_KILL",))).capabilities is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (ProcessWords(), "which command is to be run?"),
        (ProcessWords(("a",), env=("B",)), "must have the form NAME=VALUE: B"),
        (ProcessWords(("a",), cwd="x"), "must be an absolute path: x"),
        (ProcessWords(("a",), user="root"), "must have the form UID"),
        (ProcessWords(("a",), user="1:x"), "must have the form UID"),
        (ProcessWords(("a",), user="-1"), "must have the form UID"),
        (ProcessWords(("a",), capabilities=("CAP_X",)), "CAP_X"),
    ],
)
def test_refused(words: ProcessWords, says: str) -> None:
    """A word that cannot be right names itself."""
    with pytest.raises(InvalidInput, match=says):
        changed(OWN, words)


def test_of_a_file(tmp_path: Path) -> None:
    """A file has the whole process, and the words have no say."""
    file = tmp_path / "process.json"
    with pytest.raises(NotFound, match="no such file"):
        process_for(tmp_path, "c", ProcessWords(file=str(file)))
    with pytest.raises(InvalidInput, match="cannot read: Is a directory"):
        process_for(tmp_path, "c", ProcessWords(file=str(tmp_path)))
    file.write_text('{"args": ["ls"], "cwd": "/", "user": {"uid": 3, "gid": 4}}')
    process = process_for(tmp_path, "c", ProcessWords(("x",), file=str(file), env=("A=1",)))
    assert (process.args, process.env, process.user) == (("ls",), (), User(3, 4))
