"""What may stand next on a command line: `rootless __complete`, which the shells' scripts call.

One engine for all shells, reading the declarations as data, so that a press of Tab costs little
more than starting Python. The first line printed tells the shell what else fits: `files`,
`folders` or `nothing`; each line after it is a word, a tab, and what it means.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rootless.cli import declared

FILES, FOLDERS, NOTHING = "files", "folders", "nothing"


@dataclass(frozen=True, slots=True)
class Answer:
    """What may stand there: words with their meaning, and what the shell itself finds."""

    words: Sequence[tuple[str, str]] = ()
    others: str = NOTHING


@dataclass(slots=True)
class _Line:
    """The words before the one that is completed, taken apart.

    Attributes:
        command: The data of the command that they name.
        path: Its words.
        waiting: The option whose value comes next.
        arguments: So many arguments were given.
        options_over: What comes next is no option.
    """

    command: Mapping[str, Any]
    path: list[str] = field(default_factory=list)
    waiting: Sequence[Any] | None = None
    arguments: int = 0
    options_over: bool = False

    def take(self, word: str) -> None:
        """Take the next word."""
        if self.waiting is not None:
            self.waiting = None
        elif not self.options_over and word == "--":
            self.options_over = True
        elif not self.options_over and word.startswith("-") and len(word) > 1:
            self.waiting = self._option_with_value(word)
        elif not self.arguments and word in self.command["commands"]:
            self.command = self.command["commands"][word]
            self.path.append(word)
        else:
            self.arguments += 1
            self.options_over = self.options_over or not self.command["interspersed"]

    def _option_with_value(self, word: str) -> Sequence[Any] | None:
        """Return the option whose value is the word after this one."""
        if "=" in word:
            return None
        if not word.startswith("--"):  # of `-it` each letter is one
            for position, letter in enumerate(word[1:], 2):
                option = self.option(f"-{letter}")
                if option is not None and option[2]:
                    return None if word[position:] else option
            return None
        option = self.option(word)
        return option if option is not None and option[2] else None

    def option(self, name: str) -> Sequence[Any] | None:
        """Return the data of an option of the command."""
        found = [option for option in self.command["options"] if name in option[1]]
        return found[0] if found else None


def complete(words: Sequence[str]) -> Answer:
    """Return what the last of the words may become, of those after `rootless`."""
    *before, current = words or [""]
    line = _Line(declared.read())
    for word in before:
        line.take(word)
    if line.waiting is not None:
        return _that_begin(_value(line, line.waiting[0], line.waiting[2], current), current)
    if not line.options_over and current.startswith("-"):
        return _option(line, current)
    if line.command["commands"] and not line.arguments:
        words_there = [(name, each["help"]) for name, each in line.command["commands"].items()]
        return _that_begin(Answer(words_there), current)
    return _that_begin(_argument(line, current), current)


def _option(line: _Line, current: str) -> Answer:
    """Return the options, or the values of `--option=`."""
    name, equals, begun = current.partition("=")
    option = line.option(name)
    if equals and option is not None:
        answer = _that_begin(_value(line, option[0], option[2], begun), begun)
        return Answer([(f"{name}={word}", means) for word, means in answer.words], answer.others)
    offered = [
        (name, means)
        for _, names, _, means in line.command["options"]
        for name in names
        if name.startswith("--") or current == "-"
    ]
    return _that_begin(Answer(offered), current)


def _argument(line: _Line, begun: str) -> Answer:
    arguments = line.command["arguments"]
    if not arguments:
        return Answer()
    position = min(line.arguments, len(arguments) - 1)
    name, metavar, many = arguments[position]
    if line.arguments >= len(arguments) and not many:
        return Answer()
    if name == "words":  # the image, and what runs in it
        return Answer(others=FILES) if line.arguments else _value(line, "image", "IMAGE", begun)
    return _value(line, name, metavar, begun)


def _that_begin(answer: Answer, begun: str) -> Answer:
    """Leave out what does not begin so; a name's parts are offered where they were asked for."""
    words = [(word, means) for word, means in answer.words if word.startswith(begun)]
    return Answer(words, answer.others)


# ── what a value may be ───────────────────────────────────────────────────────────────────────────

_POLICIES = ("no", "on-failure", "always", "unless-stopped")
_COMPRESSIONS = ("gzip", "zstd", "none")
_NAMED = {
    "SIGNAL": ("TERM", "KILL", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT"),
    "POLICY": _POLICIES,
    "CAP": (
        *("ALL", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_ADMIN"),
        *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN"),
        *("SYS_CHROOT", "SYS_NICE", "SYS_PTRACE"),
    ),
    "WHAT": ("home", "cwd", "tmp", "ssh-agent", "git-config", "none"),
}
_OF_PARAMETER = {
    ("save", "form"): ("docker-archive", "oci-archive", "oci-dir", "docker-dir"),
    ("", "compression_format"): _COMPRESSIONS,
    ("", "security_opt"): ("seccomp=unconfined", "no-new-privileges=false"),
    ("", "shell"): ("bash", "zsh", "fish"),
}
_FILE_WORDS = re.compile(r"(?:^|\W)(?:FILE|DIR|PATH|SOURCE|DESTINATION|SRC|SOCKET)")


def _value(line: _Line, parameter: str, metavar: str, begun: str) -> Answer:
    """Return what an option's or an argument's value may be."""
    last = line.path[-1] if line.path else ""
    fixed = _OF_PARAMETER.get((last, parameter)) or _OF_PARAMETER.get(("", parameter))
    if fixed:
        return _plain(fixed)
    kinds = _kinds(line.path, parameter, metavar)
    if kinds:
        found = [each for kind in kinds for each in getattr(_names(), kind)(begun)]
        return Answer(found, FILES if "images" in kinds and "/" in begun else NOTHING)
    if metavar == "[CONTAINER:]PATH":
        return Answer([(f"{name}:", of) for name, of in _names().containers(begun)], FILES)
    if metavar in _NAMED:
        return _plain(_NAMED[metavar])
    if (last, parameter) in (("run", "network"), ("create", "network")):  # its help says so
        metavar += "|container:NAME"
    return _listed(metavar) or Answer(others=_paths(parameter, metavar))


def _paths(parameter: str, metavar: str) -> str:
    """Tell which paths a value may be."""
    if metavar.strip("[]") == "DIR":
        return FOLDERS
    is_file = _FILE_WORDS.search(metavar) or parameter in ("command", "context")
    return FILES if is_file else NOTHING


def _plain(words: Iterable[str]) -> Answer:
    return Answer([(word, "") for word in words])


def _listed(metavar: str) -> Answer | None:
    """Return the alternatives that a metavar names: `auto|never`, `private|container:NAME`."""
    parts = metavar.split("|")
    fixed = [part for part in parts if re.match(r"[a-z0-9][a-z0-9-]*", part)]
    if len(parts) < 2 or not fixed:
        return None
    found: list[tuple[str, str]] = []
    for part in fixed:
        word = re.split(r"[A-Z…\[]", part)[0]
        if word == "container:":
            found += [(f"{word}{name}", means) for name, means in _names().containers("")]
        else:
            found.append((word, ""))
    return Answer(found)


def _names() -> Any:
    from rootless.cli import complete_names  # noqa: PLC0415 - for names only

    return complete_names


def _kinds(path: Sequence[str], parameter: str, metavar: str) -> tuple[str, ...]:
    """Return the kinds of names that a value may be one of."""
    last = path[-1] if path else ""
    by_place = {
        ("images", "name"): ("images",),
        ("ls", "name"): ("images",),
        ("inspect", "names"): ("images", "containers"),
        ("remove", "names"): ("aliases",),
        ("show", "names"): ("profiles",),
    }
    by_parameter = {
        **dict.fromkeys(("image", "images", "from_"), ("images",)),
        **dict.fromkeys(("container", "containers", "volumes_from"), ("containers",)),
        "profile": ("profiles",),
    }
    by_word = {"IMAGE": "images", "CONTAINER": "containers"}
    said = tuple(by_word[word] for word in metavar.strip("[].").split("|") if word in by_word)
    return by_place.get((last, parameter), by_parameter.get(parameter, said))


# ── the shells ────────────────────────────────────────────────────────────────────────────────────


def main(words: Sequence[str]) -> int:
    """Print what may stand at the end: `bash WORDBREAKS LINE`, or `zsh|fish WORD…`."""
    shell, *rest = words
    if shell == "bash":
        breaks, text = rest
        parts = split(text)[1:] or [""]
        answer = _without_begin(complete(parts), parts[-1], breaks)
    else:
        answer = complete(rest)
    lines = [f"{word}\t{means}" if means else word for word, means in answer.words]
    sys.stdout.write("\n".join([answer.others, *lines]) + "\n")
    return 0


def split(text: str) -> list[str]:
    """Return a line's words as the shell has them; of one that is not closed what there is."""
    words, word, quote, is_word = [], "", "", True
    letters = iter(text)
    for letter in letters:
        if quote == "'" or (quote and letter not in ('"', "\\")):
            word, quote = (word, "") if letter == quote else (word + letter, quote)
        elif letter == "\\":
            word, is_word = word + next(letters, ""), True
        elif letter in "'\"":
            quote, is_word = ("" if quote else letter), True
        elif letter.isspace():
            if is_word:
                words.append(word)
            word, is_word = "", False
        else:
            word, is_word = word + letter, True
    return [*words, word]


def _without_begin(answer: Answer, begun: str, breaks: str) -> Answer:
    """Take away what bash keeps: it completes behind the last of its word breaks."""
    kept = max((begun.rfind(letter) for letter in breaks if letter in ":="), default=-1) + 1
    return Answer([(word[kept:], means) for word, means in answer.words], answer.others)
