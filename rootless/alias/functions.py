"""What a shell is told of aliases: text for bash, zsh or fish to evaluate; pure.

Most aliases need nothing of it: they are programs. The folder may be missing in the PATH; a command
that is new, or gone, must not be looked for where it was (hash -r); and what an alias prints may be
meant for the shell, which only a function can evaluate.
"""

import shlex
from collections.abc import Iterable

SHELLS = ("bash", "zsh", "fish")

_POSIX = """\
case ":$PATH:" in
    *:{folder}:*) ;;
    *) export PATH={folder}:"$PATH" ;;
esac
rootless() {{
    command rootless "$@"
    set -- "$?" "$@"
    if [ "${{2-}}" = alias ]; then hash -r; fi
    return "$1"
}}
"""
_POSIX_EVAL = """\
{name}() {{
    local rootless_said
    rootless_said=$(command {name} "$@") || return
    eval "$rootless_said"
}}
"""
_FISH = """\
contains -- {folder} $PATH; or set -gx PATH {folder} $PATH
"""
_FISH_EVAL = """\
function {name} --wraps {name}
    set -l rootless_said (command {name} $argv); or return
    string join \\n -- $rootless_said | source
end
"""


def text(shell: str, folder: str, evaluated: Iterable[str]) -> str:
    """Return what a shell evaluates at its start.

    Args:
        shell: One of SHELLS.
        folder: Where the aliases are.
        evaluated: Names of those whose output is for the shell.
    """
    head, each = (_FISH, _FISH_EVAL) if shell == "fish" else (_POSIX, _POSIX_EVAL)
    quoted = _fish_quote(folder) if shell == "fish" else shlex.quote(folder)
    return head.format(folder=quoted) + "".join(each.format(name=name) for name in evaluated)


def _fish_quote(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
