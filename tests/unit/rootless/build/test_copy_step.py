"""`rootless.build.copy_step`: where things go, and whose they are; as buildah 1.28 has it."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import copying
import images
import pytest

from rootless.build.tree_source import open_layers
from rootless.errors import BuildError

BASE = (
    *("real/keep", "lnk -> real", "abs -> /real", "out -> ../../../real2", "file"),
    *("dirx/y", "dang -> nowhere/x", "tofile -> file"),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> copying.Stage:
    """A stage with files and links, made once."""
    folder = tmp_path_factory.mktemp("base")
    with copying.Stage(copying.an_empty_store(folder)) as made:
        made.do("COPY . /", made.context(folder / "base", BASE))
    return made


@pytest.fixture
def on_base(base: copying.Stage) -> Iterator[copying.Stage]:
    """A stage that begins with those."""
    with copying.Stage(base.store, base.state) as made:
        yield made


def test_a_folder(stage: copying.Stage, tmp_path: Path) -> None:
    """A folder's contents are copied: types, permissions, hard links, links as they are."""
    context = stage.context(tmp_path / "c", ("d/a", "d/l -> a", "d/sub/b"))
    folder = tmp_path / "c/d"
    os.link(folder / "a", folder / "hard")
    os.mkfifo(folder / "pipe")
    for name, mode in (("", 0o750), ("a", 0o4755), ("sub", 0o1755), ("pipe", 0o644)):
        (folder / name).chmod(mode)
    assert stage.do("COPY d /x/y", context) == [
        "folder 755 0:0 x",
        "folder 755 0:0 x/y",
        "file 755 0:0 x/y/a = d/a",  # set-ID bits of the host are not the image's
        "name 755 0:0 x/y/hard -> x/y/a",
        "link 777 0:0 x/y/l -> a",
        "fifo 644 0:0 x/y/pipe",
        "folder 1755 0:0 x/y/sub",
        "file 644 0:0 x/y/sub/b = d/sub/b",
    ]
    # folders that are there already come with what they have
    assert stage.do("COPY d/a /x/y", context)[0] == "folder 755 0:0 x"


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("d/a /lnk", "real/a"),
        ("d/a /abs/b", "real/b"),
        ("d/a /dirx", "dirx/a"),
        ("d/a /file", "file"),
        ("d/a /tofile", "file"),
        ("d/a /dang", "nowhere/x"),
        ("d/a /out/c", "real2/c"),
        ("d/a /lnk/../z", "z"),
        ("d/a /../../z", "z"),
        ("./d/../d/a z", "z"),
        ("lnk /n/", "n/lnk"),
        ("to /n/", "n/a"),
        ("d/. /n", "n/a"),
        ("/d/ /n/m", "n/m/a"),
    ],
)
def test_destinations(on_base: copying.Stage, tmp_path: Path, words: str, path: str) -> None:
    """Links of the image are followed inside it; what is no folder yet is the file's name."""
    context = on_base.context(tmp_path / "c", ("d/a", "lnk -> d/a", "to -> /d"))
    assert copying.paths(on_base.tar(f"COPY {words}", context))[-1] == path


def test_over_what_is_there(on_base: copying.Stage, tmp_path: Path) -> None:
    """In a folder that is copied, what has the name of a link or a file takes its place."""
    files = ("d/lnk/new", "d/file/inner", "d/dirx", "d/real/more", "d/abs -> zzz")
    context = on_base.context(tmp_path / "c", files)
    (tmp_path / "c/d/real").chmod(0o700)
    assert on_base.do("COPY d /", context) == [
        "link 777 0:0 abs -> zzz",
        "file 644 0:0 dirx = d/dirx",
        "folder 755 0:0 file",
        "file 644 0:0 file/inner = d/file/inner",
        "folder 755 0:0 lnk",
        "file 644 0:0 lnk/new = d/lnk/new",
        "folder 700 0:0 real",
        "file 644 0:0 real/more = d/real/more",
    ]


def test_several_sources(stage: copying.Stage, tmp_path: Path) -> None:
    """More than one thing goes into a folder; of two with one name the last counts."""
    files = ("s1/x", "s2/x", "t/t1", "t/t2", "e/x/in")
    context = stage.context(tmp_path / "c", files)
    stage.set("WORKDIR /w")
    assert stage.do("COPY s1 s2 .", context) == ["folder 755 0:0 w", "file 644 0:0 w/x = s2/x"]
    made = copying.paths(stage.tar("COPY t/* new", context))
    assert made == ["w", "w/new", "w/new/t1", "w/new/t2"]
    assert copying.paths(stage.tar("COPY t/*1 one", context)) == ["w", "w/one"]
    assert copying.paths(stage.tar("COPY s1 e /y/", context)) == ["y", "y/x", "y/x/in"]
    assert stage.do("COPY e s1 /y/", context) == ["folder 755 0:0 y", "file 644 0:0 y/x = s1/x"]


def test_owners_and_permissions(stage: copying.Stage, tmp_path: Path) -> None:
    """What --chown says is also of folders that are made, what --chmod says is not."""
    context = stage.context(tmp_path / "c", ("d/a", "d/s/b"))
    assert stage.do("COPY --chown=7:8 --chmod=640 d /p/q", context) == [
        "folder 755 7:8 p",
        "folder 755 7:8 p/q",
        "file 640 7:8 p/q/a = d/a",
        "folder 640 7:8 p/q/s",
        "file 640 7:8 p/q/s/b = d/s/b",
    ]


def test_another_stage(stage: copying.Stage, tmp_path: Path) -> None:
    """Of a stage owners, set-ID bits, attributes, holes and hard links come along."""
    layer = images.LayerBuilder().directory("d", uid=3, gid=4)
    layer.file("d/su", b"su", mode=0o4755, uid=5, gid=6, xattrs={"user.x": b"y"})
    layer.hard_link("d/too", "d/su").symlink("abs", "/d")
    first = copying.Stage(stage.store)
    first.on(layer)
    with open_layers(stage.store, first.state.diff_ids, "stage 0") as source:
        tar = stage.tar("COPY --from=0 /abs /new", source)
        assert copying.shown(tar) == [
            "folder 755 0:0 new",
            "file 4755 5:6 new/su = su",
            "name 4755 5:6 new/too -> new/su",
        ]
        assert b"SCHILY.xattr.user.x=y" in tar
        assert stage.plan("COPY --from=0 /abs /new", source).fingerprint
        with pytest.raises(BuildError, match="Containerfile:1: no such file in stage 0: /none"):
            stage.do("COPY --from=0 /none /x", source)


def test_here_documents(stage: copying.Stage, tmp_path: Path) -> None:
    """A here-document is a file, with variables replaced where its word is not quoted."""
    context = stage.context(tmp_path / "c", ("f",))
    stage.set("ENV WHO=me")
    text = "COPY <<ONE <<'TWO' f /d/\nI am $WHO\nONE\n$WHO\nTWO\n"
    assert stage.do(text, context) == [
        "folder 755 0:0 d",
        "file 644 0:0 d/f = f",
        "file 644 0:0 d/ONE = I am me\n",
        "file 644 0:0 d/TWO = $WHO\n",
    ]
    assert stage.do("COPY <<EOF /etc/motd\nhello\nEOF\n", context)[-1] == (
        "file 644 0:0 etc/motd = hello\n"
    )


def test_parents_and_excludes(stage: copying.Stage, tmp_path: Path) -> None:
    """`--parents` makes the folders of the sources, `--exclude` leaves something out."""
    files = ("x/a.txt", "x/y/b.txt", "x/y/c.md", "z/d.txt")
    context = stage.context(tmp_path / "c", files)
    assert copying.paths(stage.tar("COPY --parents x/y/*.txt z /p/", context)) == [
        *("p", "p/x", "p/x/y", "p/x/y/b.txt", "p/z", "p/z/d.txt")
    ]
    assert copying.paths(stage.tar("COPY --parents x/./y/b.txt /q", context)) == [
        *("q", "q/y", "q/y/b.txt")
    ]
    tar = stage.tar("COPY --exclude=*.txt --exclude=y/*.md x /r", context)
    assert copying.paths(tar) == ["r", "r/y", "r/y/b.txt"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("../c/d /x", r"leads out of the build context: \.\./c/d"),
        ("a/../../c /x", r"leads out of the build context: a/\.\./\.\./c"),
        ("up /x", "leads out of the build context: up"),
        ("up/x /x", "leads out of the build context: up/x"),
        ("host /x", "a link to /etc/passwd, which is not in the build context: host"),
        ("loop /x", "links lead in a circle: loop"),
        ("none /x", "no such file in the build context: none"),
        ("n* /x", r"no such file in the build context: n\*"),
        ("[ /x", r"not a pattern: \["),
        ("gone /x", "the ignore file keeps it away from the build: gone"),
        ("go* /x", r"the ignore file keeps it away from the build: go\*"),
        ("d /file", "the destination is there and is no folder: /file"),
        ("d/a /file/", "the destination is there and is no folder: /file"),
        ("d/a /file/x", "the destination leads through what is no folder: /file"),
        ("wh /x", r"name cannot be in an image: /x/\.wh\.a"),
        ("closed /x", "cannot be read: .*/c/closed: permission denied"),
        ("shut /x", "cannot be read: .*/c/shut: permission denied"),
        ("sock /x", "a socket cannot be copied: sock"),
        ("--chown=me d /x", "no such user in the image's /etc/passwd: me"),
        ("--chmod=u+x d /x", r"not permissions: u\+x"),
        ("http://localhost/f /x", "COPY fetches nothing: http://localhost/f"),
    ],
)
def test_what_cannot_be(on_base: copying.Stage, tmp_path: Path, words: str, message: str) -> None:
    """Whatever is wrong, the error is one line with the file and the line."""
    files = ("d/a", "up -> ../base", "host -> /etc/passwd", "loop -> loop", "gone", "wh/.wh.a")
    context = on_base.context(tmp_path / "c", (*files, "closed", "shut/x"), "gone\n")
    (tmp_path / "c/closed").chmod(0)
    (tmp_path / "c/shut").chmod(0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "c/sock"))
    try:
        with pytest.raises(BuildError, match=f"^Containerfile:1: {message}"):
            on_base.do(f"COPY {words}", context)
    finally:
        (tmp_path / "c/shut").chmod(0o700)


def test_a_file_that_changes(stage: copying.Stage, tmp_path: Path) -> None:
    """A file that changes after it was looked at, or while it is read, ends the step."""
    context = stage.context(tmp_path / "c", ("d/a", "d/b"))
    plan = stage.plan("COPY d /x", context)
    plan.digest()
    (tmp_path / "c/d/b").write_text("something else")
    with (
        plan.layer(now_ns=0) as tar,
        pytest.raises(BuildError, match=r"Containerfile:1: file changed while it was read.*/d/b"),
    ):
        tar.readall()


def test_what_is_exchanged_for_a_link(stage: copying.Stage, tmp_path: Path) -> None:
    """A folder that becomes a link out of the context while it is copied is not entered."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/a").write_text("secret")
    context = stage.context(tmp_path / "c", ("d/a",))
    plan = stage.plan("COPY . /x", context)
    plan.digest()
    (tmp_path / "c/d").rename(tmp_path / "c/old")
    (tmp_path / "c/d").symlink_to(tmp_path / "secret")
    with plan.layer(now_ns=0) as tar, pytest.raises(BuildError, match="cannot be read"):
        tar.readall()


def test_sockets_are_left_out(
    stage: copying.Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A socket in a folder is left out, and a line says so."""
    context = stage.context(tmp_path / "c", ("d/a",))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "c/d/s"))
    assert copying.paths(stage.tar("COPY d /x", context)) == ["x", "x/a"]
    assert "Containerfile:1: left out, a socket: d/s" in caplog.text


def test_the_same_bytes(stage: copying.Stage, tmp_path: Path) -> None:
    """With a latest time the same things give the same bytes, whenever they were written."""
    tars = set()
    for name in ("one", "two"):
        context = stage.context(tmp_path / name, ("d/a", "d/s/b"))
        again = copying.Stage(stage.store)
        tars.add(again.tar("COPY d /x/", context, latest_ns=10**9))
    assert len(tars) == 1
    assert (tmp_path / "one/d/a").stat().st_mtime > 1


def test_what_history_says(stage: copying.Stage, tmp_path: Path) -> None:
    """Kind and digest of what was copied; the digest is of names and contents, not of times."""
    context = stage.context(tmp_path / "c", ("d/a", "e/a", "f"))
    (tmp_path / "c/e/a").write_text("d/a")
    kinds = [stage.plan(f"COPY {each} /x/", context).content() for each in ("d", "e", "f", "d f")]
    assert [kind.partition(":")[0] for kind in kinds] == ["dir", "dir", "file", "multi"]
    assert kinds[0] == kinds[1] != kinds[2]
    assert list(stage.plan("COPY d f /x/", context).sources()) == [b"d", b"d/a", b"f"]
