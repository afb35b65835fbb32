"""Sizes, limits, masks and words of the command line."""

import json
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.bundle import parse
from rootless.errors import InvalidInput
from rootless.oci.runtime_spec import Rlimit

words = st.lists(st.text(st.characters(exclude_characters="\0"), max_size=4), max_size=3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1", 1), ("64m", 64 << 20), ("1g", 1 << 30), ("2T", 2 << 40), ("10k", 10240)),
        *(("7b", 7), ("1kb", 1024), ("1MiB", 1 << 20), (" 3 k ", 3072), ("007", 7)),
    ],
)
def test_sizes(text: str, value: int) -> None:
    """Units are powers of 1024, in either case, with or without the B."""
    assert parse.size(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "0", "0m", "-1", "1.5g", "m", "1x", "1mm", "1bb", "1e3", "\u0661k", "9" * 5000, "1 m b"],
)
def test_no_sizes(text: str) -> None:
    """Nothing, fractions, other units and numbers without end are refused."""
    with pytest.raises(InvalidInput, match="not a size"):
        parse.size(text)


@settings(database=None, max_examples=50)
@given(number=st.integers(1, 10**15 - 1), unit=st.sampled_from(["", "b", "k", "m", "g", "t"]))
def test_every_size(number: int, unit: str) -> None:
    """A number and a unit multiply."""
    assert parse.size(f"{number}{unit}") == number * 1024 ** " kmgt".index(unit.strip("b") or " ")


def test_entrypoint() -> None:
    """One program, whose path may hold blanks; an array of words; nothing clears it."""
    assert parse.entrypoint(None) is None
    assert parse.entrypoint("") == ()
    assert parse.entrypoint("/my programs/x") == ("/my programs/x",)
    assert parse.entrypoint('["a", "b c"]') == ("a", "b c")


@settings(database=None, max_examples=50)
@given(value=words)
def test_words_in_both_forms(value: list[str]) -> None:
    """A JSON array and what a shell would split are the same words."""
    assert parse.words(json.dumps(value), "--cmd") == tuple(value)
    line = shlex.join(value)
    if not line.startswith("["):
        assert parse.words(line, "--cmd") == tuple(value)


@pytest.mark.parametrize("text", ['["a"', "[1]", '[["a"]]', "'a", "[" * 100_000])
def test_no_words(text: str) -> None:
    """A broken array or quotation is named with its option."""
    with pytest.raises(InvalidInput, match="--cmd"):
        parse.words(text, "--cmd")


def test_umask() -> None:
    """Octal digits, nothing where it was not given."""
    assert [parse.umask(text) for text in ("", "0027", "77", "0", "777")] == [
        None,
        0o27,
        0o77,
        0,
        511,
    ]
    for text in ("8", "1777", "0o22", "-1", "0x12"):
        with pytest.raises(InvalidInput, match="not a file mode mask"):
            parse.umask(text)


def test_oom_score() -> None:
    """A number that the kernel takes."""
    assert [parse.oom_score(text) for text in ("", "-1000", "7")] == [None, -1000, 7]
    for text in ("1001", "x", "1.5", "--1"):
        with pytest.raises(InvalidInput, match="not a score"):
            parse.oom_score(text)


def test_time_zone() -> None:
    """A name, which leads nowhere but to a zone's file."""
    assert parse.time_zone("America/Argentina/La_Rioja") == "America/Argentina/La_Rioja"
    for text in ("../etc/passwd", "/etc", "a//b", "a\nb", "."):
        with pytest.raises(InvalidInput, match="not a time zone"):
            parse.time_zone(text)


def test_rlimits() -> None:
    """Names as in limits.conf(5) or setrlimit(2); one value is both; -1 and unlimited are none."""
    assert parse.rlimit("nofile=1024:2048") == Rlimit("RLIMIT_NOFILE", 1024, 2048)
    assert parse.rlimit("RLIMIT_CORE=0") == Rlimit("RLIMIT_CORE", 0, 0)
    assert parse.rlimit("core=unlimited") == Rlimit("RLIMIT_CORE", -1, -1)
    assert parse.rlimit("core=5:-1") == Rlimit("RLIMIT_CORE", 5, -1)


@pytest.mark.parametrize(
    "text",
    [
        *("", "nofile", "nofile=", "nofile=a", "nofile=1:b", "x=1", "nofile=-2", "nofile=1:2:3"),
        *("nofile=2048:1024", "nofile=-1:1024", "nofile=" + "9" * 30),
    ],
)
def test_no_rlimits(text: str) -> None:
    """Unknown names, and pairs that setrlimit(2) would refuse, are refused here."""
    with pytest.raises(InvalidInput, match=r"not a resource limit|soft limit is above"):
        parse.rlimit(text)


def test_annotations() -> None:
    """The value may hold more equals signs."""
    assert parse.annotation("a=b=c") == ("a", "b=c")
    for text in ("a", "=b", ""):
        with pytest.raises(InvalidInput, match="KEY=VALUE"):
            parse.annotation(text)


def test_no_new_privileges() -> None:
    """On unless it is switched off; the last word counts, and what is off anyway is accepted."""
    off = "no-new-privileges=false"
    assert parse.no_new_privileges([]) is True
    assert parse.no_new_privileges([off]) is False
    assert parse.no_new_privileges(["no-new-privileges:false", "no-new-privileges"]) is True
    assert parse.no_new_privileges(["label=disable", "seccomp=/a.json", off]) is False
    for text in ("no-new-privileges=maybe", "seccomp=", "seccomp", "label=user:x", ""):
        with pytest.raises(InvalidInput, match="unknown security option"):
            parse.no_new_privileges([text])


def test_seccomp() -> None:
    """The last profile counts; both forms are understood, and a path may hold either sign."""
    assert parse.seccomp(["label=disable", "no-new-privileges"]) == ""
    assert parse.seccomp(["seccomp=a.json", "seccomp:unconfined"]) == "unconfined"
    assert parse.seccomp(["seccomp=/a:b=c.json"]) == "/a:b=c.json"
    assert parse.seccomp(["seccomp:/a=b.json"]) == "/a=b.json"
