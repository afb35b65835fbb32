"""The caller's variables inside: those of `--env` and `--env-file`, or all that mean something."""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rootless.errors import InvalidInput, NotFound

# What tells of the host's programs and libraries, and of services that are not inside.
_OF_THE_HOST = frozenset(
    (
        *("PATH", "MANPATH", "INFOPATH", "PKG_CONFIG_PATH", "PYTHONHOME", "SHELL"),
        *("XDG_RUNTIME_DIR", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS", "DBUS_SESSION_BUS_ADDRESS"),
        *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "container", "HOSTNAME", "_"),
        *("GIO_EXTRA_MODULES", "GTK_PATH", "QT_PLUGIN_PATH", "LOCPATH", "NLSPATH", "TERMINFO"),
        *("GCONV_PATH", "GETCONF_DIR", "HOSTALIASES", "LOCALDOMAIN", "MALLOC_TRACE"),
        *("RES_OPTIONS", "BASH_ENV", "ENV", "PERL5LIB", "RUBYLIB", "JAVA_HOME"),
    )
)
_PREFIXES_OF_THE_HOST = ("LD_", "ROOTLESS_", "BASH_FUNC_", "CONDA_", "GUIX_", "NIX_")


def expand(items: Iterable[str], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield NAME=VALUE for each item: NAME=VALUE itself, NAME or NAME* out of `environ`."""
    for item in items:
        name, equals, _ = item.partition("=")
        if not name or "\0" in item:
            raise InvalidInput("not a variable", item, "NAME=VALUE, NAME or PREFIX*")
        if equals:
            yield item
        elif "*" in name:
            yield from (f"{n}={v}" for n, v in environ.items() if fnmatch.fnmatchcase(n, name))
        elif name in environ:
            yield f"{name}={environ[name]}"


def read_file(path: str) -> list[str]:
    """Return the items of an env file: one a line, `#` begins a comment line."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("no such environment file", path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the environment file: {error}", path) from error
    lines = (line.lstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def passed(environ: Mapping[str, str], also: Iterable[str] = ()) -> Iterator[str]:
    """Yield NAME=VALUE for what a command expects that runs as if it ran on the host.

    That is everything but what tells of the host's own programs: the image has others.

    Args:
        environ: The caller's environment.
        also: Names that are passed all the same.
    """
    kept = frozenset(also)
    for name, value in environ.items():
        is_of_the_host = name in _OF_THE_HOST or name.startswith(_PREFIXES_OF_THE_HOST)
        if name in kept or not is_of_the_host:
            yield f"{name}={value}"
