"""`rootless.build.grammar`: the form of each instruction."""

import pytest

from rootless.build.grammar import FORMS, GrammarFault, check, form_of, near, read_flags

INSTRUCTIONS = (
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL "
    "STOPSIGNAL USER VOLUME WORKDIR"
)


def test_has_every_instruction_of_the_reference() -> None:
    """The eighteen of the Dockerfile reference."""
    assert sorted(FORMS) == INSTRUCTIONS.split()


@pytest.mark.parametrize(
    ("keyword", "fix"),
    [("FORM", "did you mean FROM?"), ("COPPY", "did you mean COPY?"), ("X", "there are ADD, ARG")],
)
def test_an_unknown_instruction(keyword: str, fix: str) -> None:
    """The nearest one is named; where there is none, all of them."""
    with pytest.raises(GrammarFault) as caught:
        form_of(keyword)
    what, on, said = caught.value.args
    assert (what, on) == ("unknown instruction", keyword)
    assert said.startswith(fix)


@pytest.mark.parametrize("keyword", INSTRUCTIONS.split())
def test_nothing_after_the_keyword(keyword: str) -> None:
    """Every instruction needs something, and its form is shown."""
    for words in ((), ("",)):
        with pytest.raises(GrammarFault, match=f"{keyword} lacks a") as caught:
            check(keyword, words, is_json=False)
        assert keyword in caught.value.args[2]


@pytest.mark.parametrize(
    ("keyword", "words", "is_json", "says"),
    [
        ("COPY", ("a",), False, "COPY lacks a destination"),
        ("ADD", ("a",), True, "ADD lacks a destination"),
        ("COPY", (), True, "COPY lacks a source and a destination"),
        ("RUN", (), True, "RUN lacks a command"),
        ("VOLUME", (), True, "VOLUME lacks a folder"),
        ("SHELL", (), True, "SHELL lacks a JSON array"),
        ("SHELL", ("a b",), False, "SHELL needs a JSON array"),
        ("FROM", ("a", "AS", "b", "c"), False, "too much after FROM"),
    ],
)
def test_refuses_words(
    keyword: str,
    words: tuple[str, ...],
    is_json: bool,  # noqa: FBT001 - a parameter
    says: str,
) -> None:
    """Too few words, too many, or not the array that they must be."""
    with pytest.raises(GrammarFault, match=says):
        check(keyword, words, is_json=is_json)


@pytest.mark.parametrize(
    ("keyword", "words", "is_json"),
    [
        ("CMD", (), True),
        ("ENTRYPOINT", (), True),
        ("CMD", ("a b",), False),
        ("RUN", ("a",), True),
        ("COPY", ("a", "b", "c"), False),
        ("FROM", ("a",), False),
        ("FROM", ("a", "AS", "b"), False),
        ("SHELL", ("a",), True),
        ("USER", ("a",), False),
    ],
)
def test_takes_words(
    keyword: str,
    words: tuple[str, ...],
    is_json: bool,  # noqa: FBT001 - a parameter
) -> None:
    """An empty array takes the command of an image away; the rest is usual."""
    check(keyword, words, is_json=is_json)


@pytest.mark.parametrize(
    ("keyword", "flags", "found"),
    [
        ("RUN", ("--mount=type=a", "--mount=type=b"), (("mount", "type=a"), ("mount", "type=b"))),
        ("COPY", ("--link", "--from=x"), (("link", "true"), ("from", "x"))),
        ("COPY", ("--link=false",), (("link", "false"),)),
        ("COPY", ("--chown=a=b",), (("chown", "a=b"),)),
        ("HEALTHCHECK", ("--interval=1s",), (("interval", "1s"),)),
        ("ENV", (), ()),
    ],
)
def test_flags(keyword: str, flags: tuple[str, ...], found: tuple[tuple[str, str], ...]) -> None:
    """Names and values in their order; a switch alone is true."""
    assert read_flags(keyword, flags) == found


@pytest.mark.parametrize(
    ("keyword", "flag", "said"),
    [
        ("COPY", "--form=x", ("unknown flag of COPY", "--form", "did you mean --from?")),
        ("ADD", "--from=x", ("unknown flag of ADD", "--from", "there are --chmod")),
        ("ENV", "--x", ("unknown flag of ENV", "--x", "")),
        ("COPY", "--from", ("a flag has no value", "--from", "--from=VALUE")),
        ("COPY", "--from=", ("a flag has no value", "--from", "--from=VALUE")),
        (
            "RUN",
            "--network=bridge",
            ("a flag has no such value", "--network=bridge", "there are d"),
        ),
        (
            "RUN",
            "--security=insecure",
            ("a flag has no such value", "--security=insecure", "there"),
        ),
        ("COPY", "--link=maybe", ("a flag is neither true nor false", "--link=maybe", "")),
    ],
)
def test_refuses_flags(keyword: str, flag: str, said: tuple[str, str, str]) -> None:
    """What is wrong with a flag, and what was meant."""
    with pytest.raises(GrammarFault) as caught:
        read_flags(keyword, [flag])
    what, on, fix = caught.value.args
    assert (what, on) == said[:2]
    assert fix.startswith(said[2])
    assert bool(fix) == bool(said[2])


def test_a_flag_twice() -> None:
    """Only those that add up can be repeated."""
    with pytest.raises(GrammarFault, match="a flag is there twice"):
        read_flags("COPY", ["--chown=1", "--chown=2"])


def test_near() -> None:
    """The most similar word, or none."""
    assert near("biulder", ("test", "builder")) == "builder"
    assert near("zzz", ("test", "builder")) == ""
