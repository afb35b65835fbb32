"""The command `rootless-overlay`: how its mounts begin and end, of what, and what it says."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import images
import pytest
import trees
from mounting import is_mounted
from overlay_command import EXECUTABLE, Somebody, call, mounted, unmount

from rootless.linux import mount_api

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.both_users]

WRITABLE = "lowerdir=l,upperdir=u,workdir=w"
Wait = Callable[[Callable[[], bool]], None]


def test_it_returns_when_it_is_mounted(somebody: Somebody) -> None:
    """Status 0, no word; what is below shows, what is written is in the upperdir and stays."""

    def scenario(folder: Path) -> None:
        (folder / "l/below").write_text("below")
        with mounted(folder, WRITABLE) as root:
            assert (root / "below").read_text() == "below"
            (root / "new").write_text("written")
            (root / "below").unlink()
            assert sorted(os.listdir(root)) == ["new"]
        assert (folder / "u/new").read_text() == "written"
        assert (folder / "l/below").read_text() == "below"
        assert os.listdir(folder / "mnt") == []
        with mounted(folder, WRITABLE) as root:
            assert sorted(os.listdir(root)) == ["new"]
        assert os.listdir(folder / "w") == []

    somebody.run(scenario)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_the_foreground(
    somebody: Somebody, number: signal.Signals, wait_until: Wait
) -> None:
    """With -f it stays; Ctrl-C and SIGTERM unmount, with status 0 and without a word."""

    def scenario(folder: Path) -> None:
        (folder / "l/below").touch()
        with in_foreground(folder, wait_until) as process:
            assert os.listdir(folder / "mnt") == ["below"]
            process.send_signal(number)
            assert process.communicate(timeout=10) == (b"", b"")
            assert process.returncode == 0
            assert not is_mounted(folder / "mnt")

    somebody.run(scenario)


def test_ignored_signals_stay_so(tmp_path: Path, wait_until: Wait) -> None:
    """Under nohup the end of a terminal does not end it."""

    def scenario(folder: Path) -> None:
        with in_foreground(folder, wait_until, "--ignore-signal=HUP") as process:
            process.send_signal(signal.SIGHUP)
            (folder / "mnt/new").write_text("served")
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=10) == (b"", b"")
            assert process.returncode == 0

    Somebody(tmp_path, in_namespace=False).run(scenario)


def test_the_end_of_the_mount_ends_it_in_the_foreground(
    somebody: Somebody, wait_until: Wait
) -> None:
    """Unmounted by somebody else it ends with status 0."""

    def scenario(folder: Path) -> None:
        with in_foreground(folder, wait_until) as process:
            unmount(folder / "mnt")
            assert process.communicate(timeout=10) == (b"", b"")
            assert process.returncode == 0

    somebody.run(scenario)


def test_kill_gives_errors_and_no_hang(somebody: Somebody, wait_until: Wait) -> None:
    """After kill -9 accesses fail at once; the mount can be taken away and made again."""

    def scenario(folder: Path) -> None:
        with in_foreground(folder, wait_until) as process:
            (folder / "mnt/new").write_text("written")
            process.kill()
            process.wait(10)
            with pytest.raises(OSError, match="not connected"):
                os.listdir(folder / "mnt")
            unmount(folder / "mnt")
        with mounted(folder, WRITABLE) as root:
            assert (root / "new").read_text() == "written"

    somebody.run(scenario)


@contextlib.contextmanager
def in_foreground(
    folder: Path, wait_until: Wait, signals: str = "--default-signal=INT,HUP"
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start it with -f, wait until it is mounted; leave nothing behind."""
    process = subprocess.Popen(
        # whoever runs the tests in the background may have SIGINT ignored
        ["env", signals, EXECUTABLE, "-f", "-o", WRITABLE, "mnt"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(lambda: is_mounted(folder / "mnt") or process.poll() is not None)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def test_many_folders(somebody: Somebody) -> None:
    """The first that is named is the uppermost; directories are merged; escaped names are names."""

    def scenario(folder: Path) -> None:
        names = [f"layer {n}:,\\" for n in range(40)]
        for number, name in enumerate(names):
            (folder / name / "d").mkdir(parents=True)
            (folder / name / "same").write_text(str(number))
            (folder / name / f"d/{number}").write_text(str(number))
        lowers = ":".join(n.replace("\\", "\\\\").replace(":", "\\:") for n in names)
        with mounted(folder, f"lowerdir={lowers.replace(',', chr(92) + ',')}") as root:
            assert (root / "same").read_text() == "0"
            assert sorted(os.listdir(root / "d"), key=int) == [str(n) for n in range(40)]
            assert (root / "d/39").read_text() == "39"

    somebody.run(scenario)


def test_tars_and_folders(somebody: Somebody) -> None:
    """Tars, with an index beside them or without, and folders among them, are one tree."""

    def scenario(folder: Path) -> None:
        layers = [
            images.LayerBuilder().file("a", b"0").file("gone", b"0").directory("d").file("d/0"),
            images.LayerBuilder().whiteout("gone").file("a", b"1").file("d/1", b"1" * 9000),
            images.LayerBuilder().file("d/3", b"3").whiteout("from-folder"),
        ]
        trees.build_tree(folder / "tars", layers)
        (folder / "tars/1.index").unlink()
        (folder / "l/from-folder").write_text("hidden")
        (folder / "l/d").mkdir()
        (folder / "l/d/2").write_text("2")
        tars = [f"tars/{number}.tar" for number in (2, 1, 0)]
        for lowers in (tars, [tars[0], "l", *tars[1:]]):
            with mounted(folder, f"lowerdir={':'.join(lowers)},upperdir=u,workdir=w") as root:
                extra = ["2"] if "l" in lowers else []
                assert sorted(os.listdir(root)) == ["a", "d"]
                assert sorted(os.listdir(root / "d")) == sorted(["0", "1", "3", *extra])
                assert (root / "a").read_bytes() == b"1"
                assert (root / "d/1").read_bytes() == b"1" * 9000
                if somebody.in_namespace:  # else the kernel knows that the file is root's
                    (root / "d/1").write_bytes(b"changed")
                    assert (root / "d/1").read_bytes() == b"changed"
                    shutil.rmtree(folder / "u")
                    (folder / "u").mkdir()
        assert sorted(os.listdir(folder / "tars")) == [
            *("0.index", "0.tar", "1.tar", "2.index", "2.tar", "tree")
        ]

    somebody.run(scenario)


@pytest.mark.parametrize(
    ("options", "mountpoint"),
    [
        ("lowerdir=l,upperdir=u,workdir=w", "l/inside"),
        ("lowerdir=l,upperdir=u,workdir=w", "l"),
        ("lowerdir=l:tar.tar,upperdir=u,workdir=w", "l/inside"),
        ("lowerdir=l,upperdir=u,workdir=w", "u"),
        ("lowerdir=l,upperdir=l/up,workdir=l/work", "l/inside"),
        ("lowerdir=l/deep:l,upperdir=l/up,workdir=l/work", "l"),
    ],
)
def test_a_mount_over_its_own_layers(somebody: Somebody, options: str, mountpoint: str) -> None:
    """A mountpoint in or on a layer: nothing waits for itself, and everything can be used."""

    def scenario(folder: Path) -> None:
        for name in ("inside", "deep", "up", "work"):
            (folder / "l" / name).mkdir()
        (folder / "l/deep/file").write_text("text")
        (folder / "l/inside/covered").touch()
        (folder / "tar.tar").write_bytes(images.LayerBuilder().file("t", b"t").tar())
        with mounted(folder, options, mountpoint) as root:
            walk = ["find", str(root), "-type", "f", "-exec", "cat", "{}", "+"]
            assert (
                "text"
                in subprocess.run(
                    walk, check=True, timeout=20, capture_output=True, encoding="utf-8"
                ).stdout
            )
            (root / "inside").mkdir(exist_ok=True)
            (root / "inside/new").write_text("1")
            assert "new" in os.listdir(root / "inside")
            (root / "deep").mkdir(exist_ok=True)
            (root / "deep/file").write_text("changed")
            assert (root / "deep/file").read_text() == "changed"

    somebody.run(scenario)


@pytest.mark.parametrize("names", [["l"], ["top", "l"]], ids=["one", "two"])
def test_hard_links_over_folders(somebody: Somebody, names: list[str]) -> None:
    """Names of a file that is written stay together, looked up before or only afterwards."""

    def scenario(folder: Path) -> None:
        (folder / "top/d").mkdir(parents=True)
        (folder / "l/d").mkdir()
        (folder / "l/one").write_text("lower")
        for name in ("two", "d/three"):
            os.link(folder / "l/one", folder / "l" / name)
        with mounted(folder, f"lowerdir={':'.join(names)},upperdir=u,workdir=w") as root:
            assert (root / "two").read_text() == "lower"
            (root / "one").write_text("written")
            for name in ("two", "d/three", "one"):
                assert (root / name).read_text() == "written", name
            statuses = [(root / name).stat() for name in ("one", "two", "d/three")]
            assert len({status.st_ino for status in statuses}) == 1
            assert {status.st_nlink for status in statuses} == {3}
            (root / "d/three").unlink()
            assert (root / "one").stat().st_nlink == 2
            (root / "two").write_text("again")
            assert (root / "one").read_text() == "again"
        with mounted(folder, f"lowerdir={':'.join(names)},upperdir=u,workdir=w") as root:
            assert (root / "one").stat().st_ino == (root / "two").stat().st_ino
            assert (root / "two").read_text() == "again"
            assert not (root / "d/three").exists()
        assert (folder / "l/one").read_text() == "lower"

    somebody.run(scenario)


@pytest.mark.parametrize("word", ["ro", "rw"])
def test_read_only(somebody: Somebody, word: str) -> None:
    """With `ro`, and without an upperdir whatever is said, nothing can be written."""

    def scenario(folder: Path) -> None:
        options = f"{word},lowerdir=l" if word == "rw" else f"{WRITABLE},{word}"
        with mounted(folder, options) as root:
            with pytest.raises(OSError, match="Read-only") as caught:
                (root / "new").touch()
            assert caught.value.errno == errno.EROFS
            line = next(line for line in mount_table() if f" {root} " in line)
            assert " ro," in line.partition(" - ")[0]

    somebody.run(scenario)


def test_what_mount_tables_show(somebody: Somebody) -> None:
    """The type is fuse.rootless, the source `rootless-overlay` or what `fsname=` says."""

    def scenario(folder: Path) -> None:
        for options, source in (("", "rootless-overlay"), (",fsname=a b", "a\\040b")):
            with mounted(folder, "lowerdir=l" + options) as root:
                line = next(line for line in mount_table() if f" {root} " in line)
                assert line.partition(" - ")[2].split()[:2] == ["fuse.rootless", source]

    somebody.run(scenario)


def mount_table() -> list[str]:
    """Return the lines of this process's mounts."""
    return Path("/proc/self/mountinfo").read_text().splitlines()


@pytest.mark.parametrize("words", [(), ("-f",)], ids=["background", "foreground"])
@pytest.mark.parametrize(
    ("options", "mountpoint", "status", "said"),
    [
        ("lowerdir=none", "mnt", 1, "mnt: No such file or directory: 'FOLDER/none'"),
        ("lowerdir=l:none", "mnt", 1, "mnt: No such file or directory: 'FOLDER/none'"),
        ("lowerdir=l,upperdir=none,workdir=w", "mnt", 1, "No such file or directory: none"),
        ("lowerdir=gz.tar", "mnt", 1, "it must be a plain one: 'FOLDER/gz.tar'"),
        ("lowerdir=l:gz.tar", "mnt", 1, "it must be a plain one: 'FOLDER/gz.tar'"),
        ("lowerdir=bad.tar", "mnt", 1, ": 'FOLDER/bad.tar'"),
        ("lowerdir=l:fifo", "mnt", 1, "neither a folder nor a tar: 'FOLDER/fifo'"),
        ("lowerdir=l,nonsense", "mnt", 2, "unknown option 'nonsense'"),
        ("lowerdir=l", "gz.tar", 1, "not a directory: gz.tar"),
        ("lowerdir=l", "none", 1, "not a directory: none"),
        ("lowerdir=l,upperdir=u,workdir=w", "u/in", 1, "lies in the upperdir or workdir: u/in"),
    ],
)
def test_what_cannot_be_mounted_is_one_line(
    tmp_path: Path,
    words: tuple[str, ...],
    *,
    options: str,
    mountpoint: str,
    status: int,
    said: str,
) -> None:
    """It names what is wrong; nothing is mounted, no process lives on."""
    for name in ("l", "u/in", "w", "mnt"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "gz.tar").write_bytes(images.COMPRESSORS["gzip"](images.END))
    (tmp_path / "bad.tar").write_bytes(b"no tar at all" * 100)
    os.mkfifo(tmp_path / "fifo")
    found, text = call(tmp_path, *words, "-o", options, mountpoint)
    assert found == status
    assert text.startswith("rootless-overlay: ")
    assert text.endswith(said.replace("FOLDER", str(tmp_path)) + "\n")
    assert text.count("\n") == 1
    assert not is_mounted(tmp_path / mountpoint)


@pytest.mark.parametrize("words", [(), ("-f",)], ids=["background", "foreground"])
def test_without_a_device(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Where /dev/fuse is missing one line says so."""

    def scenario(folder: Path) -> None:
        dev = folder / "dev"
        dev.mkdir()
        mount_api.mount("dev", str(dev), "tmpfs", 0, "mode=755")
        (dev / "null").touch()
        mount_api.mount("/dev/null", str(dev / "null"), None, mount_api.MS_BIND)
        mount_api.mount(str(dev), "/dev", None, mount_api.MS_BIND | mount_api.MS_REC)
        status, text = call(folder, *words, "-o", "lowerdir=l", "mnt")
        assert status == 1
        assert "/dev/fuse" in text or "fuse: device not found" in text
        assert text.count("\n") == 1

    Somebody(tmp_path, in_namespace=True).run(scenario)
