"""How packs are made, checked, and brought back into a store."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from executable import Home, Rootless


def test_same_bytes(packs: dict[str, Path], small_home: Home, tmp_path: Path) -> None:
    """Packing twice gives the same bytes, from another store too."""
    home = Home.make(tmp_path)
    other = Rootless(home)
    other.ok("load", "-q", packs["none"])
    for rootless in (Rootless(small_home), other):
        for compress, path in packs.items():
            again = tmp_path / f"again-{compress}"
            rootless.ok("pack", "-q", "--force", "--compress", compress, "small", again)
            assert again.read_bytes() == path.read_bytes()


def test_load_brings_it_back(pack: Path, small: Rootless, rootless: Rootless) -> None:
    """A load of a pack gives the image with its name, its ID and its layers."""
    rootless.ok("load", "-q", pack)
    for what in (".Id", ".RepoTags", ".RootFS.Layers", ".Digest", ".Config"):
        assert rootless.ok("inspect", "-f", what, "small") == small.ok(
            "inspect", "-f", what, "small"
        )
    assert rootless.ok("run", "small") == "the command\n"


def test_inspect(pack: Path, small: Rootless) -> None:
    """A pack is inspected as the image is, and holds its documents."""
    of_file = json.loads(small.ok("inspect", pack))[0]
    of_image = json.loads(small.ok("inspect", "small"))[0]
    for key in ("Id", "Digest", "Config", "RootFS", "LayersData", "Size", "History"):
        assert of_file[key] == of_image[key]
    expected = small.ok("inspect", "--raw", "manifest", "small")
    assert small.ok("inspect", "--raw", "manifest", pack) == expected


def test_compression_is_chosen(packs: dict[str, Path], small: Rootless, tmp_path: Path) -> None:
    """Compressed is smaller; what is no compression is said so."""
    assert packs["zstd"].stat().st_size < packs["none"].stat().st_size / 2
    done = small("pack", "--compress", "zstd:99", "small", tmp_path / "x")
    assert done.status == 125
    assert "zstd:22" in done.stderr


def test_takes_no_file_s_place(small: Rootless, tmp_path: Path) -> None:
    """A file that is there stays, unless --force is given; a pack is not packed again."""
    target = tmp_path / "letter"
    target.write_text("dear reader")
    done = small("pack", "-q", "small", target)
    assert done.status == 125
    assert "--force" in done.stderr
    assert target.read_text() == "dear reader"
    small.ok("pack", "-q", "--force", "small", target)
    assert small.ok("run", target) == "the command\n"


def test_verify(pack: Path, small: Rootless) -> None:
    """A good pack is found good."""
    assert small.ok("pack", "--verify", pack) == f"{pack}: OK\n"


@pytest.mark.parametrize("where", [0.02, 0.5, 0.999])
def test_verify_finds_damage(where: float, pack: Path, small: Rootless, tmp_path: Path) -> None:
    """A changed byte is found, wherever it is, or it is padding."""
    data = bytearray(pack.read_bytes())
    place = int(len(data) * where)
    while not any(data[place : place + 64]):
        place += 64
    data[place : place + 64] = bytes(byte ^ 0x55 for byte in data[place : place + 64])
    (tmp_path / "damaged").write_bytes(data)
    done = small("pack", "--verify", tmp_path / "damaged")
    assert done.status == 125
    assert done.stderr.startswith("rootless: damaged pack")
    assert done.stderr.count("\n") == 1


def test_full_disk(small: Rootless, tmp_path: Path) -> None:
    """A disk that fills up leaves nothing, and is named."""
    (tmp_path / "disk").mkdir()
    script = (
        'mount -t tmpfs -o size=256k none "$1" && cd "$1" && shift && "$@"; status=$?; ls -A >&2; '
        "exit $status"
    )
    done = subprocess.run(
        [
            *("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", tmp_path / "disk"),
            *small.command("pack", "-q", "small", "x.rlf"),
        ],
        env=dict(small.home.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 125
    assert done.stderr == "rootless: cannot write the pack: no space left on device: x.rlf\n"


def test_killed(small: Rootless, tmp_path: Path) -> None:
    """A pack that is killed half-way has not its name; the next one is made all the same."""
    shutil.copy("/bin/true", tmp_path / "other")
    for delay in (0.3, 0.4):
        process = small.start("pack", "-q", "--compress", "zstd:19", "small", tmp_path / "x")
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert {path.name for path in tmp_path.iterdir()} <= {"other", "x"}
        if (tmp_path / "x").exists():
            small.ok("pack", "--verify", tmp_path / "x")
            (tmp_path / "x").unlink()
    small.ok("pack", "-q", "small", tmp_path / "x")
    small.ok("pack", "--verify", tmp_path / "x")


def test_mode(small: Rootless, tmp_path: Path) -> None:
    """A pack is for whom the umask lets read; a program for whom it lets execute."""
    before = os.umask(0o027)
    try:
        small.ok("pack", "-q", "small", tmp_path / "file")
        small.ok("pack", "-qx", "small", tmp_path / "program")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("file", "program")]
    assert modes == [0o640, 0o750]
