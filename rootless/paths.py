"""Where things lie: the store, the run-time folder and the scratch folder, out of the environment.

The environment is read here and nowhere else. Sources: XDG Base Directory Specification 0.8.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ADDITIONAL_STORES = "ROOTLESS_ADDITIONAL_STORES"
_MACHINE_SETTINGS = Path("/etc/rootless/config.toml")


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one user.

    Attributes:
        store: Images; may lie on NFS or Lustre, may be read-only for `run`.
        runtime: Sockets, locks and records of live containers; local to the node.
        scratch: Ephemeral upperdirs and staged files; the store's `scratch` unless
            `$ROOTLESS_SCRATCH` names another folder.
        settings: Where `config.toml` may lie, the user's before the machine's.
        additional_stores: Stores to read beside one's own; None where the environment has no say.
        state: What is remembered of this user's decisions: which project files he trusts.
        binaries: Where his commands are, that aliases are put into.
    """

    store: Path
    runtime: Path
    scratch: Path
    settings: tuple[Path, ...] = ()
    additional_stores: tuple[Path, ...] | None = None
    state: Path = Path()
    binaries: Path = Path()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Paths":
        """Read `ROOTLESS_…`, the XDG variables and `HOME`. Makes nothing."""
        env = os.environ if environ is None else environ
        store = _first_absolute(env.get("ROOTLESS_HOME"))
        if store is None:
            data_home = _first_absolute(env.get("XDG_DATA_HOME"))
            store = (data_home or _home(env) / ".local" / "share") / "rootless"
        runtime_home = _first_absolute(env.get("XDG_RUNTIME_DIR"))
        if runtime_home is not None and os.access(runtime_home, os.W_OK | os.X_OK):
            runtime = runtime_home / "rootless"
        else:  # batch jobs have no login session
            runtime = Path(tempfile.gettempdir()) / f"rootless-{os.getuid()}"
        scratch = _first_absolute(env.get("ROOTLESS_SCRATCH")) or store / "scratch"
        config_home = _first_absolute(env.get("XDG_CONFIG_HOME")) or _home(env) / ".config"
        settings = (config_home / "rootless" / "config.toml", _MACHINE_SETTINGS)
        local = _home(env) / ".local"
        state_home = _first_absolute(env.get("XDG_STATE_HOME")) or local / "state"
        return cls(
            *(store, runtime, scratch, settings, _stores(env.get(ADDITIONAL_STORES))),
            state=state_home / "rootless",
            binaries=_first_absolute(env.get("XDG_BIN_HOME")) or local / "bin",
        )


def shared_folder() -> Path:
    """Return a folder of the caller's on a local disk, for what the store cannot hold.

    It lies where anybody may make it first: `linux.private_folder` tells.
    """
    folder = Path(os.environ.get("TMPDIR", "/var/tmp"))  # noqa: S108 - below it one of one's own
    return folder / f"rootless-{os.getuid()}"


def _home(env: Mapping[str, str]) -> Path:
    return _first_absolute(env.get("HOME")) or Path("~").expanduser()


def _stores(value: str | None) -> tuple[Path, ...] | None:
    """Return the folders of a list parted by colons; a set but empty one names none."""
    if value is None:
        return None
    return tuple(path for path in map(_first_absolute, value.split(":")) if path is not None)


def _first_absolute(value: str | None) -> Path | None:
    """Return the path of a variable that is set; the XDG specification ignores relative ones."""
    if not value:
        return None
    path = Path(value).expanduser()
    return path if path.is_absolute() else None
