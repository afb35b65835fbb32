"""Twelve Containerfiles of the kinds that people write, and the folders that they are built from.

They lie in `build/files`, a folder each. What git cannot keep (links, holes, attributes, modes,
times, archives) is made here, the same each time; `apt-packages` gets the demo's packages, and
`python-app` the pip of this environment.
"""

import io
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import images
import zstandard

FILES = Path(__file__).parent / "build" / "files"
TOKEN = "correct horse battery staple"
_TIME = 1_500_000_000
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Case:
    """One of them.

    Attributes:
        name: Of its folder, and of its image.
        options: Of the build, as podman, buildah and rootless all take them; `{folder}` is the
            folder that `make_contexts` made.
        says: What the image prints when it is run; "" where it has nothing to run.
        bases: Names of the images that it stands on and that are built before it: those of other
            cases, or of a folder inside this one's.
        judge_file: The Containerfile for those who do not know all that ours has.
        is_slow: Takes many seconds; its image serves others.
    """

    name: str
    says: str
    options: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    judge_file: str = "Containerfile"
    is_slow: bool = False


_SECRET = ("--secret", "id=token,src={folder}/token")

CASES = {
    case.name: case
    for case in (
        Case("apt-packages", "Hello, world!\n", is_slow=True),
        Case("c-program", "hello world\n", bases=("apt-packages",)),
        Case("python-app", "2\n", bases=("apt-packages",)),
        Case("heredocs", "<p>hello, world</p>\n", judge_file="Containerfile.judge"),
        Case("secrets-and-caches", "first\n", options=_SECRET),
        Case("onbuild", "said yes\n", bases=("onbuild/base",)),
        Case(
            "targets",
            "right\ninside\n",
            options=(
                *("--target", "wanted", "--build-arg", "BASE=debian-demo"),
                *("--build-arg", "MESSAGE=inside"),
            ),
        ),
        Case("archives", ""),
        Case("users", "/home/app 1234\n"),
        Case("metadata", "entry a b c\n"),
        Case("copies", "one.txt\n"),
        Case("special-files", "both\nmore\n"),
    )
}


def image_name(base: str) -> str:
    """Return the name of an image that a case stands on: `onbuild/base` is `onbuild-base`."""
    return base.replace("/", "-")


def make_contexts(folder: Path, debs: Path) -> Path:
    """Make every case's context below a folder, and the token that is a secret; returns it."""
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text(TOKEN)
    for name in CASES:
        context = folder / name
        shutil.copytree(FILES / name, context, copy_function=shutil.copyfile)
        for path in (context, *context.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
        _PREPARED.get(name, _nothing)(context, debs)
        set_times(context)
    return folder


def set_times(context: Path, *, offset: int = 0) -> None:
    """Give everything a time that depends on its name alone, and on a number of days."""
    for path in (*context.rglob("*"), context):
        name = str(path.relative_to(context)).encode("utf-8", "surrogateescape")
        ns = (_TIME + offset * _DAY + zlib.crc32(name) % 10_000_000) * 10**9
        os.utime(path, ns=(ns, ns), follow_symlinks=False)


def _nothing(_context: Path, _debs: Path) -> None:
    """All of it is in git."""


def _packages(context: Path, debs: Path) -> None:
    (context / "debs").mkdir()
    for each in debs.glob("*.deb"):
        shutil.copy(each, context / "debs")


def _wheels(context: Path, _debs: Path) -> None:
    """Write a wheel (PyPA binary distribution format), and copy pip."""
    (context / "wheels").mkdir()
    info = "tally-2.1.dist-info"
    members = {
        "tally/__init__.py": "from tally.counting import count\n\n__all__ = ['count']\n",
        "tally/counting.py": "import collections\n\n\ndef count(words):\n"
        "    return collections.Counter(words)\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tally\nVersion: 2.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntally = tally:count\n",
    }
    record = "".join(f"{name},,\n" for name in [*members, f"{info}/RECORD"])
    with zipfile.ZipFile(context / "wheels" / "tally-2.1-py3-none-any.whl", "w") as wheel:
        for name, text in {**members, f"{info}/RECORD": record}.items():
            wheel.writestr(zipfile.ZipInfo(name), text)
    where = Path(str(distribution("pip").locate_file("pip")))
    shutil.copytree(where, context / "pip/pip", ignore=shutil.ignore_patterns("__pycache__"))


def _special_files(context: Path, _debs: Path) -> None:
    tree = context / "tree"
    for name in ("hard", "mode", "empty", "links"):
        (tree / name).mkdir()
    (tree / "hard" / "a").write_text("both\n")
    (tree / "hard" / "b").hardlink_to(tree / "hard" / "a")
    (tree / "link").symlink_to("hard/a")
    (tree / "links" / "absolute").symlink_to("/etc/passwd")
    (tree / "links" / "dangling").symlink_to("../nowhere")
    (tree / "links" / "folder").symlink_to("../hard")
    (tree / "links" / ("long" * 30)).symlink_to("/".join(["x" * 100] * 3))
    (tree / os.fsdecode(b"odd \xff\n\\name")).write_text("odd")
    (tree / ("n" * 200)).write_text("long")
    with (tree / "sparse").open("wb") as file:
        file.seek(10 << 20)
        file.write(b"end")
    (tree / "noted").write_text("has attributes")
    os.setxattr(tree / "noted", "user.colour", b"green\0")
    for name, mode in (("set-user", 0o4755), ("secret", 0o600), ("no-one", 0o444)):
        path = tree / "mode" / name
        path.write_text(name)
        path.chmod(mode)
    (tree / "mode").chmod(0o1777)
    (tree / "empty").chmod(0o700)


def _archives(context: Path, _debs: Path) -> None:
    plain = _tar("etc", owner=(5, 6))
    (context / "plain.tar").write_bytes(plain)
    for suffix, mode in (("gz", "w:gz"), ("bz2", "w:bz2")):
        with tarfile.open(context / f"plain.tar.{suffix}", mode) as archive:  # type: ignore[call-overload]
            _add(archive, f"by-{suffix}", b"packed\n", mtime=_TIME)
    (context / "plain.tar.zst").write_bytes(zstandard.ZstdCompressor().compress(plain))
    with tarfile.open(context / "root.tar.xz", "w:xz") as archive:
        for name in ("bin", "etc", "srv", "tmp"):
            _add(archive, name, None, mode=0o1777 if name == "tmp" else 0o755)
        _add(archive, "bin/nothing", b"\x7fELF", mode=0o4755)
        _add(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/nothing\n", mode=0o600)


def _tar(name: str, owner: tuple[int, int]) -> bytes:
    uid, gid = owner
    return (
        images.LayerBuilder()
        .directory(name, uid=uid, gid=gid, mode=0o2750)
        .file(f"{name}/file", b"of a tar\n", uid=uid, gid=gid, mode=0o640, mtime=_TIME + 0.25)
        .hard_link(f"{name}/again", f"{name}/file", uid=uid, gid=gid, mode=0o640)
        .symlink(f"{name}/link", "file", uid=uid, gid=gid)
        .file(f"{name}/noted", b"n", xattrs={"user.colour": b"red"})
        .file("deep/er/without-parents", b"w", uid=1, gid=2, mtime=_TIME)
        .tar()
    )


def _add(
    archive: tarfile.TarFile,
    name: str,
    content: bytes | None,
    *,
    mode: int = 0o644,
    mtime: int = images.MTIME,
) -> None:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = mode, mtime
    if content is None:
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
        return
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


_PREPARED: dict[str, Callable[[Path, Path], None]] = {
    "apt-packages": _packages,
    "python-app": _wheels,
    "special-files": _special_files,
    "archives": _archives,
}


def steps(case: Case, contexts: Path, *, is_judge: bool = False) -> list[tuple[str, list[str]]]:
    """Return name and words (options, file, context) of the builds that make a case's image.

    Only what is the case's own: the images of other cases are there.
    """
    file = case.judge_file if is_judge else "Containerfile"
    context = contexts / case.name
    found = [
        (image_name(base), ["-f", str(contexts / base / "Containerfile"), str(contexts / base)])
        for base in case.bases
        if base not in CASES
    ]
    options = [word.format(folder=contexts) for word in case.options]
    found.append((case.name, [*options, "-f", str(context / file), str(context)]))
    return found


def in_order(names: Sequence[str] = tuple(CASES)) -> list[Case]:
    """Return cases with those that they stand on, each behind those."""
    found: dict[str, Case] = {}
    for name in names:
        for base in CASES[name].bases:
            if base in CASES:
                found.setdefault(base, CASES[base])
        found.setdefault(name, CASES[name])
    return list(found.values())
