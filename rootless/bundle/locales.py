"""The caller's locale inside: one that the image lacks would be C, with a warning of perl's.

Source: locale(7), setlocale(3). The C libraries of Debian, Fedora and others have C.UTF-8 in them:
letters come through, whatever language messages are in.
"""

from collections.abc import Callable, Iterable

_ARCHIVE = b"usr/lib/locale/locale-archive"
_FOLDER = "usr/lib/locale"
_PLAIN = ("", "C", "POSIX", "C.UTF-8", "C.utf8")
_INSTEAD = "C.UTF-8"


def fitting(
    env: Iterable[str],
    has_file: Callable[[bytes], bool],
    has_folder: Callable[[bytes], bool],
) -> tuple[str, ...]:
    """Return variables with locales that an image has: C.UTF-8 in place of one that it has not.

    Args:
        env: NAME=VALUE each.
        has_file: Tells whether the image has a file, by its path.
        has_folder: Tells the same of a folder.
    """
    return tuple(
        _fitting(each, has_file, has_folder) if each.startswith(("LANG=", "LC_")) else each
        for each in env
    )


def _fitting(
    variable: str, has_file: Callable[[bytes], bool], has_folder: Callable[[bytes], bool]
) -> str:
    name, _, value = variable.partition("=")
    if value in _PLAIN or has_file(_ARCHIVE):  # an archive may have it; to look costs too much
        return variable
    language, dot, codeset = value.partition(".")
    codeset, at, modifier = codeset.partition("@")
    normal = f"{language}{dot}{codeset.lower().replace('-', '')}{at}{modifier}"
    if "/" not in value and any(has_folder(f"{_FOLDER}/{n}".encode()) for n in (value, normal)):
        return variable
    return f"{name}={_INSTEAD}"
