"""What each instruction of a Containerfile may have: flags, words, a JSON array; pure.

Source: the Dockerfile reference. The parser splits every line into words and judges few of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NO_TRIGGERS: Final = ("FROM", "MAINTAINER", "ONBUILD")
"""What ONBUILD cannot put off."""

_SWITCHES = ("keep-git-dir", "link", "parents", "unpack")
_REPEATED = ("exclude", "mount")
_VALUES = {"network": ("default", "host", "none"), "security": ("sandbox",)}
_FILES = ("chmod", "chown", "exclude", "link")


@dataclass(frozen=True, slots=True)
class Form:
    """The form of an instruction.

    Attributes:
        usage: What it looks like.
        needs: What its words are.
        fewest: Words that it needs.
        most: Words that it can have; 0 for any number.
        flags: Their names.
        must_be_json: Its words are a JSON array.
    """

    usage: str
    needs: str
    fewest: int = 1
    most: int = 0
    flags: tuple[str, ...] = ()
    must_be_json: bool = False


FORMS: Final[Mapping[str, Form]] = {
    "ADD": Form(
        "ADD SOURCE… DESTINATION",
        "a source and a destination",
        fewest=2,
        flags=(*_FILES, "checksum", "keep-git-dir", "unpack"),
    ),
    "ARG": Form("ARG NAME[=DEFAULT]…", "a name"),
    "CMD": Form('CMD ["PROGRAM", "WORD"…] or CMD WORDS OF A SHELL', "a command", fewest=0),
    "COPY": Form(
        "COPY SOURCE… DESTINATION",
        "a source and a destination",
        fewest=2,
        flags=(*_FILES, "from", "parents"),
    ),
    "ENTRYPOINT": Form(
        'ENTRYPOINT ["PROGRAM", "WORD"…] or ENTRYPOINT WORDS OF A SHELL', "a command", fewest=0
    ),
    "ENV": Form("ENV NAME=VALUE…", "a name and a value", fewest=2),
    "EXPOSE": Form("EXPOSE PORT[-PORT][/tcp|udp|sctp]…", "a port"),
    "FROM": Form("FROM IMAGE [AS NAME]", "an image", most=3, flags=("platform",)),
    "HEALTHCHECK": Form(
        "HEALTHCHECK [FLAGS] CMD COMMAND or HEALTHCHECK NONE",
        "a command",
        flags=("interval", "retries", "start-interval", "start-period", "timeout"),
    ),
    "LABEL": Form("LABEL NAME=VALUE…", "a name and a value", fewest=2),
    "MAINTAINER": Form("MAINTAINER NAME", "a name", most=1),
    "ONBUILD": Form("ONBUILD INSTRUCTION…", "an instruction"),
    "RUN": Form(
        'RUN WORDS OF A SHELL or RUN ["PROGRAM", "WORD"…]',
        "a command",
        flags=("mount", "network", "security"),
    ),
    "SHELL": Form('SHELL ["PROGRAM", "WORD"…]', "a JSON array", must_be_json=True),
    "STOPSIGNAL": Form("STOPSIGNAL SIGNAL", "a signal", most=1),
    "USER": Form("USER USER[:GROUP]", "a user", most=1),
    "VOLUME": Form('VOLUME FOLDER… or VOLUME ["FOLDER"…]', "a folder"),
    "WORKDIR": Form("WORKDIR FOLDER", "a folder", most=1),
}


class GrammarFault(ValueError):
    """What is wrong with an instruction: the clause, what it is about, what to do."""


def form_of(keyword: str) -> Form:
    """Return the form of an instruction; raises GrammarFault for one that there is not."""
    form = FORMS.get(keyword)
    if not keyword:
        raise GrammarFault("a line goes on with nothing", "", "take the escape at its end away")
    if form is None:
        meant = near(keyword, tuple(FORMS))
        fix = f"did you mean {meant}?" if meant else f"there are {', '.join(FORMS)}"
        raise GrammarFault("unknown instruction", keyword, fix)
    return form


def near(word: str, known: Sequence[str], cutoff: float = 0.6) -> str:
    """Return the known word that is most like another; "" where none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - where something is wrong already

    return next(iter(get_close_matches(word, known, n=1, cutoff=cutoff)), "")


def check(keyword: str, words: Sequence[str], *, is_json: bool) -> None:
    """Raise GrammarFault where there are too few words, too many, or in the wrong form."""
    form = form_of(keyword)
    text = " ".join(words)
    has_none = not text and not is_json
    if has_none or len(words) < form.fewest:
        lacks = "a destination" if len(words) == 1 and form.fewest == 2 and text else form.needs
        raise GrammarFault(f"{keyword} lacks {lacks}", text, form.usage)
    if form.must_be_json and not is_json:
        raise GrammarFault(f"{keyword} needs {form.needs}", text, form.usage)
    if form.most and len(words) > form.most:
        raise GrammarFault(f"too much after {keyword}", text, form.usage)


def read_flags(keyword: str, flags: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return names and values of flags; raises GrammarFault."""
    known = form_of(keyword).flags
    found: list[tuple[str, str]] = []
    for flag in flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        if name not in known:
            meant = near(name, known)
            there = f"there are {', '.join(f'--{each}' for each in known)}" if known else ""
            fix = f"did you mean --{meant}?" if meant else there
            raise GrammarFault(f"unknown flag of {keyword}", f"--{name}", fix)
        if name not in _REPEATED and name in dict(found):
            raise GrammarFault("a flag is there twice", f"--{name}", "")
        if name in _SWITCHES:
            value = value if equals else "true"
            if value not in ("true", "false"):
                raise GrammarFault("a flag is neither true nor false", flag, "")
        elif not value:
            raise GrammarFault("a flag has no value", f"--{name}", f"--{name}=VALUE")
        if value not in _VALUES.get(name, (value,)):
            there = ", ".join(_VALUES[name])
            raise GrammarFault("a flag has no such value", flag, f"there are {there}")
        found.append((name, value))
    return tuple(found)
