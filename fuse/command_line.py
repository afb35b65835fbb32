"""The command `rootless-overlay`: mounts an overlay, as fuse-overlayfs and mount(8) call it.

    rootless-overlay [-f] [-o OPTIONS] [SOURCE] MOUNTPOINT

It returns when the overlay is mounted, and the server lives on until it is unmounted; with `-f` it
stays and serves itself. Every folder is opened here, before the mount, and relative paths are taken
from here.
"""

import argparse
import signal
import sys
from typing import NoReturn

from .launch import at_paths, launch
from .overlay_options import OptionError, OverlayOptions, parse_options
from .server_config import ServerConfig

_VERSION = "rootless-overlay 0.1.0"
_USAGE_STATUS = 2


def main() -> int:
    """Run the command line in `sys.argv`; return the exit status."""
    words = _parser().parse_intermixed_args()
    try:
        options = parse_options(",".join(words.options))
        config, fds = _config(options, words.mountpoint)
    except OptionError as error:
        return _fail(str(error), _USAGE_STATUS)
    except OSError as error:
        return _fail(f"{error.strerror or error}: {error.filename}")
    if words.foreground:
        _serve(config)
    return _mount(config, fds)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Leave with one line, not with the whole usage."""
        sys.exit(_fail(f"{message} (see rootless-overlay --help)", _USAGE_STATUS))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rootless-overlay",
        description="Mount folders and plain tars on top of each other, with an upperdir for "
        "what is written, as an ordinary user.",
        epilog="Options: lowerdir=A:B:C (the uppermost first), upperdir=, workdir=, "
        "uidmapping=SHOWN:STORED:LENGTH, gidmapping=, squash_to_root, squash_to_uid=, "
        "squash_to_gid=, xattr_permissions=, noxattrs, noacl, static_nlink, volatile, ro, "
        "allow_other, and those of mount(8). Unmount with: fusermount3 -u MOUNTPOINT",
    )
    parser.add_argument("-o", dest="options", action="append", default=[], metavar="OPTIONS")
    parser.add_argument("-f", "--foreground", action="store_true", help="stay and serve")
    parser.add_argument("-d", "--debug", action="store_true", dest="foreground", help="the same")
    parser.add_argument("-V", "--version", action="version", version=_VERSION)
    parser.add_argument("source", nargs="?", help="a word for mount tables, as mount(8) gives it")
    parser.add_argument("mountpoint", metavar="MOUNTPOINT")
    return parser


def _config(options: OverlayOptions, mountpoint: str) -> tuple[ServerConfig, tuple[int, ...]]:
    """Return the server's config and the descriptors that it names; raises OSError."""
    config = ServerConfig(
        mountpoint=mountpoint,
        lowerdirs=options.lowerdirs,
        uid_mapping=options.uid_mapping,
        gid_mapping=options.gid_mapping,
        squash_uid=options.squash_uid,
        squash_gid=options.squash_gid,
        has_xattrs=options.has_xattrs,
        has_acls=options.has_acls,
        keeps_stat_in_xattr=options.keeps_stat_in_xattr,
        static_nlink=options.static_nlink,
        is_volatile=options.is_volatile,
        options=options.mount,
        fsname=options.fsname or "rootless-overlay",
    )
    return at_paths(config, options.upperdir, options.workdir)


def _mount(config: ServerConfig, fds: tuple[int, ...]) -> int:
    launched = launch(config, pass_fds=fds, outlives=True)
    reason = launched.read_answer()
    if reason:
        launched.process.wait()
        return _fail(f"cannot mount {config.mountpoint}: {reason}")
    launched.process.returncode = 0  # it is not ours to wait for; keeps Popen from warning
    return 0


def _serve(config: ServerConfig) -> NoReturn:
    """Become the server: Ctrl-C and SIGTERM end it in good order."""
    from .server import main as serve  # noqa: PLC0415 - only the server pays for pyfuse3

    def refuse(reason: str) -> None:
        _fail(f"cannot mount {config.mountpoint}: {reason}")
        sys.stderr.flush()

    ending_signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    serve([config.to_json()], ending_signals, refuse)


def _fail(text: str, status: int = 1) -> int:
    sys.stderr.write(f"rootless-overlay: {text}\n")
    return status
