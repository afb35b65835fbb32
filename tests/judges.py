"""What umoci and the kernel's overlayfs make of an image, as an ordinary user with sub-IDs.

Both work in a user namespace of their own, whose root owns what they make; the listings show owners
as seen from inside. Run as a program, in such a namespace, this is the overlayfs half: it extracts
each layer with the standard library (a second opinion on the tar as well), mounts, and lists.

Nothing in a user namespace may make device nodes: empty files stand for them.
"""

import ctypes
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from listing import Listing, dumped, list_folder, loaded

NAMESPACE = ("unshare", "--map-root-user", "--map-auto", "--mount", "--")
_XATTR = "SCHILY.xattr."


def umoci_listing(image: str, folder: Path) -> Listing:
    """Unpack `LAYOUT:TAG` into a folder below this one, list it, and remove it again."""
    bundle = folder / "umoci"
    script = (
        'umoci --log=fatal unpack --image "$1" "$2" >&2 && "$3" "$4" "$2/rootfs"; '
        'status=$?; rm -rf "$2"; exit $status'
    )
    program = Path(__file__).with_name("listing.py")
    return _run("sh", "-c", script, "sh", image, bundle, sys.executable, program)


def overlay_listing(tars: Sequence[Path], folder: Path) -> Listing:
    """Mount overlayfs over these layers, the lowest first, each unpacked into an own folder."""
    lowers = folder / "lowers"
    script = '"$@"; status=$?; rm -rf "$0"; exit $status'
    return _run("sh", "-c", script, lowers, sys.executable, __file__, lowers, *tars)


def _run(*command: str | Path) -> Listing:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([*NAMESPACE, *command], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return loaded(done.stdout)


def unpack_for_overlay(tar_path: Path, root: Path, lowers: Sequence[Path]) -> None:
    """Extract a layer into an empty folder, in the form that overlayfs with `userxattr` takes.

    A parent that the layer does not name is as the lower layers have it, as containerd does it;
    overlayfs would show the attributes of the extraction otherwise.
    """
    times: list[tuple[str, int]] = []
    _make_parents(str(root), root, lowers, times)
    with tarfile.open(tar_path, errors="surrogateescape") as archive:
        members = archive.getmembers()
        for member in members:
            path = os.path.join(root, os.path.normpath(member.name))
            if not os.path.basename(path).startswith(".wh."):
                _make_parents(os.path.dirname(path), root, lowers, times)
                _make(archive, member, path, root)
                times.append((path, _time_ns(member)))
        for member in members:  # behind the entries: an entry of the same name is not hidden
            parent, name = os.path.split(os.path.join(root, member.name))
            if name == ".wh..wh..opq":
                os.setxattr(parent, "user.overlay.opaque", b"y")
            elif name.startswith(".wh."):
                hidden = os.path.join(parent, name.removeprefix(".wh."))
                if not os.path.lexists(hidden):
                    os.mknod(hidden, stat.S_IFCHR, os.makedev(0, 0))
                elif os.path.isdir(hidden) and not os.path.islink(hidden):
                    os.setxattr(hidden, "user.overlay.opaque", b"y")
        for path, time_ns in reversed(times):
            os.utime(path, ns=(time_ns, time_ns), follow_symlinks=False)


def _make_parents(
    path: str, root: Path, lowers: Sequence[Path], times: list[tuple[str, int]]
) -> None:
    if os.path.lexists(path):
        return
    _make_parents(os.path.dirname(path), root, lowers, times)
    os.mkdir(path, 0o755)
    places = [os.path.join(lower, os.path.relpath(path, root)) for lower in reversed(lowers)]
    model = next((place for place in places if os.path.isdir(place)), None)
    if model is not None:
        status = os.stat(model)
        os.chown(path, status.st_uid, status.st_gid)
        shutil.copystat(model, path)
        times.append((path, status.st_mtime_ns))


def _make(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, root: Path) -> None:
    if os.path.lexists(path) and not (member.isdir() and os.path.isdir(path)):
        subprocess.run(["rm", "-rf", path], check=True)
    if member.islnk():
        os.link(os.path.join(root, member.linkname), path, follow_symlinks=False)
        return
    if member.isdir():
        os.makedirs(path, exist_ok=True)
    elif member.issym():
        os.symlink(member.linkname, path)
    elif member.isfifo():
        os.mkfifo(path)
    else:
        source = archive.extractfile(member) if member.isreg() else None
        with open(path, "wb") as file:
            while source and (chunk := source.read(1 << 20)):
                file.write(chunk)
    os.chown(path, member.uid, member.gid, follow_symlinks=False)
    if not member.issym():
        os.chmod(path, member.mode & 0o7777)
    for key, value in member.pax_headers.items():
        if key.startswith(_XATTR):
            raw = value.encode("utf-8", "surrogateescape")
            os.setxattr(path, key.removeprefix(_XATTR), raw, follow_symlinks=False)


def _time_ns(member: tarfile.TarInfo) -> int:
    whole, _, fraction = member.pax_headers.get("mtime", str(int(member.mtime))).partition(".")
    return int(whole) * 10**9 + int(fraction[:9].ljust(9, "0"))


def _mount_overlay(names: Sequence[str], mountpoint: str) -> None:
    """Mount the folders of these names, in the working directory, the lowest first."""
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"userxattr,lowerdir={':'.join([*reversed(names), 'empty'])}"
    if libc.mount(b"overlay", mountpoint.encode(), b"overlay", 1, options.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), options)


def _main() -> None:
    folder, tars = Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]]
    for name in (".", "empty", "merged"):
        (folder / name).mkdir()
    names = [str(number) for number in range(len(tars))]
    roots = [folder / name for name in names]
    for number, (root, tar) in enumerate(zip(roots, tars, strict=True)):
        unpack_for_overlay(tar, root, roots[:number])
    os.chdir(folder)
    _mount_overlay(names, "merged")
    try:
        sys.stdout.buffer.write(dumped(list_folder("merged")))
    finally:
        subprocess.run(["umount", "merged"], check=True)


if __name__ == "__main__":
    _main()
