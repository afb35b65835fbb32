"""What each instruction of a Containerfile may have: flags, words, a JSON array; pure.

Source: the Dockerfile reference. The parser splits every line into words and judges few of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

NO_TRIGGERS: Final = ("FROM", "MAINTAINER", "ONBUILD")
"""What ONBUILD cannot put off."""

_SWITCHES = ("keep-git-dir", "link", "parents", "unpack")
_REPEATED = ("exclude", "mount")
_FILES = ("chmod", "chown", "exclude", "link")


@dataclass(frozen=True, slots=True)
class Form:
    """The form of an instruction.

    Attributes:
        usage: What it looks like.
        fewest: Words that it needs.
        most: Words that it can have; 0 for any number.
        flags: Their names.
        must_be_json: Its words are a JSON array.
    """

    usage: str
    fewest: int = 1
    most: int = 0
    flags: tuple[str, ...] = field(default=())
    must_be_json: bool = False


FORMS: Final[Mapping[str, Form]] = {
    "ADD": Form(
        "ADD SOURCE… DESTINATION",
        fewest=2,
        flags=(*_FILES, "checksum", "keep-git-dir", "unpack"),
    ),
    "ARG": Form("ARG NAME[=DEFAULT]…"),
    "CMD": Form('CMD ["PROGRAM", "WORD"…] or CMD WORDS OF A SHELL', fewest=0),
    "COPY": Form("COPY SOURCE… DESTINATION", fewest=2, flags=(*_FILES, "from", "parents")),
    "ENTRYPOINT": Form('ENTRYPOINT ["PROGRAM", "WORD"…] or ENTRYPOINT WORDS OF A SHELL', fewest=0),
    "ENV": Form("ENV NAME=VALUE…", fewest=2),
    "EXPOSE": Form("EXPOSE PORT[-PORT][/tcp|udp|sctp]…"),
    "FROM": Form("FROM IMAGE [AS NAME]", most=3, flags=("platform",)),
    "HEALTHCHECK": Form(
        "HEALTHCHECK [FLAGS] CMD COMMAND or HEALTHCHECK NONE",
        flags=("interval", "retries", "start-interval", "start-period", "timeout"),
    ),
    "LABEL": Form("LABEL NAME=VALUE…", fewest=2),
    "MAINTAINER": Form("MAINTAINER NAME", most=1),
    "ONBUILD": Form("ONBUILD INSTRUCTION…"),
    "RUN": Form(
        'RUN WORDS OF A SHELL or RUN ["PROGRAM", "WORD"…]', flags=("mount", "network", "security")
    ),
    "SHELL": Form('SHELL ["PROGRAM", "WORD"…]', must_be_json=True),
    "STOPSIGNAL": Form("STOPSIGNAL SIGNAL", most=1),
    "USER": Form("USER USER[:GROUP]", most=1),
    "VOLUME": Form('VOLUME FOLDER… or VOLUME ["FOLDER"…]'),
    "WORKDIR": Form("WORKDIR FOLDER", most=1),
}


class GrammarFault(ValueError):
    """What is wrong with an instruction: the clause, what it is about, what to do."""


def form_of(keyword: str) -> Form:
    """Return the form of an instruction; raises GrammarFault for one that there is not."""
    form = FORMS.get(keyword)
    if form is None:
        near = get_close_matches(keyword, FORMS, n=1)
        raise GrammarFault(
            "unknown instruction",
            keyword,
            f"did you mean {near[0]}?" if near else f"there are {', '.join(FORMS)}",
        )
    return form


def check(keyword: str, words: Sequence[str], *, is_json: bool) -> None:
    """Raise GrammarFault where there are too few words, too many, or in the wrong form."""
    form = form_of(keyword)
    if form.must_be_json and not is_json:
        raise GrammarFault(f"{keyword} needs a JSON array", " ".join(words), form.usage)
    bare = not words and not is_json
    if len(words) < form.fewest or bare or (tuple(words) == ("",) and not is_json):
        lacks = "a destination" if len(words) == 1 and form.fewest == 2 else "what it is about"
        raise GrammarFault(f"{keyword} lacks {lacks}", " ".join(words), form.usage)
    if form.most and len(words) > form.most:
        raise GrammarFault(f"too much after {keyword}", " ".join(words), form.usage)


def read_flags(keyword: str, flags: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return names and values of flags; raises GrammarFault."""
    known = form_of(keyword).flags
    found: list[tuple[str, str]] = []
    for flag in flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            there = f"there are {', '.join(f'--{each}' for each in known)}" if known else ""
            fix = f"did you mean --{near[0]}?" if near else there
            raise GrammarFault(f"unknown flag of {keyword}", f"--{name}", fix)
        if name not in _REPEATED and name in dict(found):
            raise GrammarFault("a flag is there twice", f"--{name}", "")
        if name in _SWITCHES:
            value = value if equals else "true"
            if value not in ("true", "false"):
                raise GrammarFault("a flag is neither true nor false", flag, "")
        elif not value:
            raise GrammarFault("a flag has no value", f"--{name}", f"--{name}=VALUE")
        found.append((name, value))
    return tuple(found)
